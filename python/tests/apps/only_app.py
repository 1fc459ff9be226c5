app = lambda environ, start_response: None
