// Adds local times, the countdown, copy buttons and a double-click guard. Every page works without it.
(() => {
  "use strict";
  const all = (selector) => document.querySelectorAll(selector);
  const lang = document.documentElement.lang || "en";

  // Times: the server writes UTC; show them in the reader's zone, with the zone's name, as the language does.
  const moment = document.currentScript.dataset.moment;
  const format = (options) => new Intl.DateTimeFormat(lang === "en" ? "en-GB" : lang, options);
  const part = (at, options) => format(options).format(at);
  const zoneName = (at, timeZoneName) =>
    format({ timeZoneName }).formatToParts(at).find((p) => p.type === "timeZoneName").value;
  for (const time of all("time[datetime]")) {
    const at = new Date(time.dateTime);
    if (isNaN(at)) continue;
    const brief = time.className === "brief";
    const short = zoneName(at, "short");
    const zone = !brief && /\d/.test(short) ? zoneName(at, "long") : short;
    time.title = time.textContent;
    time.textContent = (brief ? "{date} {time} UTC" : moment).replace("UTC", zone)
      .replace("{time}", part(at, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }))
      .replace("{date}", part(at, { day: "numeric", month: brief ? "short" : "long", year: "numeric" }));
  }

  // Countdown: from the deadline and, where the page says it, the server's clock.
  const countdown = document.querySelector(".countdown[data-until]");
  if (countdown) {
    const status = document.getElementById("countdown-status");
    const until = Date.parse(countdown.dataset.until);
    const ahead = countdown.dataset.now ? Date.parse(countdown.dataset.now) - Date.now() : 0;
    const count = (n, unit) => new Intl.NumberFormat(lang, { style: "unit", unit, unitDisplay: "long" }).format(n);
    const say = (s) => s <= 0 ? countdown.dataset.over : countdown.dataset.left
      .replace("{time}", s < 60 ? count(s, "second") : count(Math.floor(s / 60), "minute"));
    let before = null;
    const tick = () => {
      const left = Math.max(0, Math.ceil((until - Date.now() - ahead) / 1000));
      const text = say(left);
      if (countdown.textContent !== text) countdown.textContent = text;
      countdown.classList.toggle("soon", left <= 60);
      const crossed = [0, 30, 60, 300, 600].find((mark) => left <= mark && before > mark);
      if (before !== null && crossed !== undefined) status.textContent = text;
      before = left;
      if (!left) clearInterval(timer);
    };
    const timer = setInterval(tick, 1000);
    countdown.hidden = false;
    tick();
  }

  // Copy buttons.
  for (const button of all("button[data-copy]")) {
    if (!navigator.clipboard) break;
    const label = [...button.childNodes];
    const told = document.createElement("span");
    told.className = "visually-hidden";
    told.setAttribute("role", "status");
    button.after(told);
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.textContent = told.textContent = button.dataset.copied || "Copied";
      setTimeout(() => { button.replaceChildren(...label); told.textContent = ""; }, 2500);
    });
  }

  // One click, one post; free again after 5 s and whenever the page is shown anew.
  const sent = new WeakMap();
  let shown = 0;
  addEventListener("pageshow", () => { shown += 1; });
  addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post") return;
    const last = sent.get(form);
    if (last && last.shown === shown && Date.now() - last.at < 5000) event.preventDefault();
    else sent.set(form, { shown, at: Date.now() });
  });

  // Work in parts: the page asks for the next one itself.
  document.querySelector("form[data-continue]")?.submit();

  // What happened comes first: the error summary, else a notice.
  const first = document.querySelector(".error-summary") || document.querySelector("[data-focus]");
  if (first) first.focus();
})();
