/** The Python side: which interpreter, where it finds the application, and how the application is called. */
import { interfaceName, type InterfaceName } from "../interface-name.ts";
import { repeated, single, toggle, type Section, type Setting } from "../setting.ts";
import { assignment, choice, commaList, text, value, wrong, type ValueType } from "../value-types.ts";

const pathPrefix: ValueType<string> = (text) => {
  const prefix = text.replace(/\/+$/, "");
  if (prefix === "" || /^\/[^?#\s]*$/.test(prefix)) return value(prefix);
  return wrong(/[?#\s]/.test(prefix) ? "is not a path" : `does not begin with a slash: write /${prefix}`);
};

export const python: Setting<string | null> = single<string | null>({
  key: "python",
  flags: ["--python"],
  metavar: "PATH",
  type: text,
  fallback: null,
  fallbackText: "the virtual environment, else python3",
  help: "Python interpreter: a path, or a name on PATH",
  doc: `Without it: \`$VIRTUAL_ENV/bin/python\`, else \`.venv/bin/python\` or \`venv/bin/python\` in the \`--chdir\` folder, else \`python3\`
or \`python\` on \`PATH\`.`,
});

export const chdir: Setting<string | null> = single<string | null>({
  key: "chdir",
  flags: ["--chdir"],
  metavar: "FOLDER",
  type: text,
  fallback: null,
  fallbackText: "the current folder",
  help: "Folder to work in; it is also searched for the application",
  doc: "Relative paths in other settings (sockets, logs, pid file, `--pythonpath`) start here, as in gunicorn.",
});

export const appDir: Setting<string | null> = single<string | null>({
  key: "app-dir",
  flags: ["--app-dir"],
  env: ["UVICORN_APP_DIR"],
  metavar: "FOLDER",
  type: text,
  fallback: null,
  help: "Folder to search for the application first (uvicorn)",
  doc: "Goes to the very front of `sys.path`; the working folder stays what it was.",
});

export const pythonpath: Setting<readonly string[]> = single<readonly string[]>({
  key: "pythonpath",
  flags: ["--pythonpath"],
  metavar: "FOLDERS",
  type: commaList,
  fallback: [],
  help: "Folders to add to sys.path, separated by commas",
  doc: "They stand before the working folder and the last one comes first: gunicorn's order, kept so that the same module is found.",
});

export const environ: Setting<readonly (readonly [string, string])[]> = repeated({
  key: "env",
  flags: ["-e", "--env"],
  metavar: "NAME=VALUE",
  type: assignment,
  help: "Environment variable for the application",
  doc: "Set in the workers before the application is imported. The last one of a name counts.",
});

export const interfaceSetting: Setting<InterfaceName> = single<InterfaceName>({
  key: "interface",
  flags: ["--interface"],
  env: ["UVICORN_INTERFACE"],
  metavar: "KIND",
  type: interfaceName,
  fallback: "auto",
  help: "What the application speaks: auto, wsgi, asgi (or asgi3)",
  doc: "`auto` looks at the application object. Say it when a wrapper hides what is inside.",
});

export const factory: Setting<boolean> = toggle({
  key: "factory",
  flags: ["--factory"],
  env: ["UVICORN_FACTORY"],
  fallback: false,
  help: "MODULE:ATTR is a function that returns the application",
  doc: "gunicorn's spelling `MODULE:create_app()` works too, and can pass arguments.",
});

export const loop: Setting<"auto" | "asyncio" | "uvloop"> = single<"auto" | "asyncio" | "uvloop">({
  key: "loop",
  flags: ["--loop", "--asgi-loop"],
  env: ["UVICORN_LOOP"],
  metavar: "NAME",
  type: choice(["auto", "asyncio", "uvloop"]),
  fallback: "auto",
  help: "Event loop of ASGI workers: auto, asyncio or uvloop",
  doc: "`auto` is uvloop where it is installed, else asyncio.",
});

export const lifespan: Setting<"auto" | "on" | "off"> = single<"auto" | "on" | "off">({
  key: "lifespan",
  flags: ["--lifespan", "--asgi-lifespan"],
  env: ["UVICORN_LIFESPAN"],
  metavar: "MODE",
  type: choice(["auto", "on", "off"]),
  fallback: "auto",
  help: "ASGI startup and shutdown events: auto, on or off",
  doc: "`auto` goes without them when the application does not know them; `on` takes that for a failed start.",
});

export const rootPath: Setting<string> = single({
  key: "root-path",
  flags: ["--root-path"],
  env: ["UVICORN_ROOT_PATH", "SCRIPT_NAME"],
  metavar: "PREFIX",
  type: pathPrefix,
  fallback: "",
  help: "Path prefix under which the application is mounted: SCRIPT_NAME and ASGI root_path",
  doc: "Begins with a slash; a slash at the end is dropped. The variable `SCRIPT_NAME` counts because gunicorn reads it, also from `-e SCRIPT_NAME=/prefix`.",
});

export const pythonSection: Section = {
  title: "Python and the application",
  settings: [python, chdir, appDir, pythonpath, environ, interfaceSetting, factory, loop, lifespan, rootPath],
};
