import threading, time, atexit, random

threading.Thread(target=time.sleep, args=(60,), name="poller", daemon=True).start()
from hello import wsgi
