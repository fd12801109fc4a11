import { byId, say } from "./text.js";

// Asks a second time. `typed`: what has to be typed for it.
export function confirm({ title, text, yes, typed }) {
  const [dialog, field, button] = [byId("confirm"), byId("confirm-typed"), byId("confirm-yes")];
  say(byId("confirm-title"), title);
  say(byId("confirm-text"), text);
  say(button, yes);
  byId("confirm-typed-label").hidden = typed === undefined;
  say(byId("confirm-typed-text"), `Type ${typed} to go on`);
  field.value = "";
  field.oninput = () => { button.disabled = typed !== undefined && field.value.trim().toLowerCase() !== typed; };
  field.oninput();
  byId("confirm-no").onclick = () => dialog.close("no");
  dialog.returnValue = "no";
  button.value = "yes";
  dialog.showModal();
  (typed === undefined ? byId("confirm-no") : field).focus();
  return new Promise((resolve) => {
    dialog.onclose = () => resolve(dialog.returnValue === "yes");
  });
}
