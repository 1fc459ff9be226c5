/**
 * From the sites of a Plan to the one handler that serves them: which rooms a request passes, and in what order. Made once when the server starts,
 * and once more for each configuration that it reads afterwards; what is at work by then goes on with the old one.
 */
import type { Destination, RoutePlan } from "./config/sites/route.ts";
import { fold, type Handler, type Stage } from "./http/handler.ts";

/** What the routes need from the house: made once, and the same for every configuration. */
export interface SitesContext {
  /** The handler of a pool of workers. */
  readonly pool: (name: string) => Handler;
}

/** The handler of one route. */
export function routeHandler(route: RoutePlan, context: SitesContext): Handler {
  return fold(stagesOf(route, context), destinationHandler(route.destination, context));
}

// Private

/** The outermost first; each only where the route asks for it. */
function stagesOf(_route: RoutePlan, _context: SitesContext): readonly Stage[] {
  return [
    // request id, error pages, response headers, CORS
    // maintenance, access by address, limits, methods, authentication
    // compression
    // cache
    // files that the app names (X-Accel-Redirect)
  ];
}

function destinationHandler(destination: Destination, context: SitesContext): Handler {
  switch (destination.type) {
    case "app":
      return context.pool(destination.pool);
    case "redirect":
    case "respond":
      throw new Error(`no handler yet for ${destination.type}`);
  }
}
