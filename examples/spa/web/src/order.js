export function order(page) {
  page.innerHTML = `<h1>Order</h1><form><input name="dish" value="soup"> <input name="portions" type="number" value="2"> <button>Order</button></form><p></p>`;
  const form = page.querySelector("form");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { dish, portions } = Object.fromEntries(new FormData(form));
    const response = await fetch("/api/orders", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ dish, portions: Number(portions) }),
    });
    const answer = await response.json();
    page.querySelector("p").textContent = response.ok
      ? `Number ${answer.number}: ${answer.portions} × ${answer.name}`
      : answer.detail;
  });
}
