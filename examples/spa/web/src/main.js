// A router of thirty lines: paths are the browser's (no #), so the server has to answer each of them with index.html.
import "./style.css";

const page = document.querySelector("#page");

async function show() {
  switch (location.pathname) {
    case "/":
      return menu();
    case "/orders/new":
      // A part of its own, loaded when it is wanted.
      return (await import("./order.js")).order(page);
    default:
      page.innerHTML = "<h1>There is no such page</h1>";
  }
}

async function menu() {
  const dishes = await (await fetch("/api/dishes")).json();
  page.innerHTML = "<h1>Menu</h1><ul></ul>";
  for (const { name } of dishes)
    page.querySelector("ul").append(Object.assign(document.createElement("li"), { textContent: name }));
}

document.querySelector("nav").addEventListener("click", (event) => {
  if (!(event.target instanceof HTMLAnchorElement)) return;
  event.preventDefault();
  history.pushState(null, "", event.target.href);
  void show();
});
addEventListener("popstate", () => void show());
void show();
