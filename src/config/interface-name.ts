/** What an application speaks, as operators name it. */
import { choice, wrong, type ValueType } from "./value-types.ts";

export type InterfaceName = "auto" | "wsgi" | "asgi";

export const interfaceName: ValueType<InterfaceName> = (text) => {
  const name = text.toLowerCase();
  if (name === "asgi2")
    return wrong(
      "is not supported: ASGI 2 applications need wrapping, for example with asgiref.compatibility.guarantee_single_callable",
    );
  if (name === "rsgi" || name === "asginl") return wrong("belongs to granian and is not supported: give asgi or wsgi");
  return choice(["auto", "wsgi", "asgi"], { asgi3: "asgi" })(name);
};
