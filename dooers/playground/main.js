/** Lists the agents of the server. */

const { agents } = await (await fetch("agents")).json();
for (const { name, description } of agents) {
  const item = document.createElement("li");
  item.textContent = description ? `${name}: ${description}` : name;
  document.querySelector("#agents").append(item);
}
