/**
 * What a careful site says to browsers (`headers = { preset = "secure" }`), where a response has not said something about the same thing. Pure.
 *
 * Nothing here breaks a page that was not made with it in mind: no policy for scripts and styles, since only the app can know that one. Strict-Transport-
 * Security has its own setting (--hsts), since it holds for the whole host and for a long time.
 */

const PERMISSIONS = "camera=(), geolocation=(), microphone=(), payment=(), usb=()";

/** `of` gives the response's own value of a field. Name, value, name, value ... */
export function securityFields(of: (lower: string) => string | undefined, isHttps: boolean): string[] {
  const more: string[] = [];
  const unlessSaid = (name: string, value: string): void => {
    if (of(name.toLowerCase()) === undefined) more.push(name, value);
  };
  unlessSaid("X-Content-Type-Options", "nosniff");
  unlessSaid("Referrer-Policy", "strict-origin-when-cross-origin");
  unlessSaid("Permissions-Policy", PERMISSIONS);
  more.push(...framing(of));
  // Means nothing on a plain connection but a complaint in the browser's console.
  if (isHttps) unlessSaid("Cross-Origin-Opener-Policy", "same-origin");
  return more;
}

/**
 * Who may show the page in a frame can be said in two ways, of which `frame-ancestors` wins (CSP level 3, section 6.4.2.2): adding it to an
 * X-Frame-Options of the app's would overrule that. A second Content-Security-Policy would narrow the app's own: it gets X-Frame-Options then.
 */
function framing(of: (lower: string) => string | undefined): string[] {
  const policy = of("content-security-policy");
  if (of("x-frame-options") !== undefined || (policy !== undefined && /(?:^|[;,])\s*frame-ancestors\b/i.test(policy)))
    return [];
  const frame = ["X-Frame-Options", "SAMEORIGIN"];
  return policy === undefined ? [...frame, "Content-Security-Policy", "frame-ancestors 'self'"] : frame;
}
