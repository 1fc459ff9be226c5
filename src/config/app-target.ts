/** Is this MODULE, MODULE:ATTR or MODULE:factory(...)? And if not, what was probably meant. Python itself checks the rest. */

const usage = "say which one: maitred MODULE:ATTR, for example maitred app:app or maitred project.wsgi:application";

/** The mistake in the words that name the application, or null when there is exactly one that can be one. */
export function appMistake(words: readonly string[]): string | null {
  const [app, ...others] = words;
  if (app === undefined || app === "") return `no application given: ${usage}`;
  if (others.length > 0)
    return `one application is wanted, but ${words.length} words are no options: ${words.join(", ")}`;
  return targetMistake(app);
}

// Private

// Python identifiers, letters of every language included (PEP 3131).
const dotted = /^[\p{ID_Start}_][\p{ID_Continue}]*(\.[\p{ID_Start}_][\p{ID_Continue}]*)*$/u;

function targetMistake(app: string): string | null {
  const colon = app.indexOf(":");
  const module = colon < 0 ? app : app.slice(0, colon);
  const attribute = colon < 0 ? null : app.slice(colon + 1);

  if (module.includes("/") || module.endsWith(".py")) {
    const name = module
      .replace(/\.py$/, "")
      .replace(/^(\.?\/)+/, "")
      .replace(/\/+$/, "")
      .replaceAll("/", ".");
    const guess = dotted.test(name)
      ? `, did you mean ${name}:${attribute ?? usualAttribute(name)}?`
      : ": write MODULE:ATTR";
    return `${app} is a file, not a module${guess}`;
  }
  if (attribute === "") return `${app} has nothing after the colon, did you mean ${module}:${usualAttribute(module)}?`;
  if (attribute === null && module.includes("(")) return `${app} has no module: write MODULE:${app}`;
  if (!dotted.test(module))
    return `${app} is not an application: "${module}" is not the name of a Python module; ${usage}`;
  if (attribute !== null && !dotted.test(attribute.replace(/\(.*\)$/s, ""))) {
    return `${app} is not an application: "${attribute}" is neither a name nor a call such as create_app()`;
  }
  return null;
}

function usualAttribute(module: string): string {
  return /(^|\.)(wsgi|asgi)$/.test(module) ? "application" : "app";
}
