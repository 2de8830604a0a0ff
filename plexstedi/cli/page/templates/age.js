"use strict";
(() => {
  /* How old the data is, by this computer's clock: a page that is not written any more cannot say so itself. */
  const byId = (id) => document.getElementById(id);
  const LIMIT = Number(document.body.dataset.stale);
  const words = (minutes) => minutes < 90 ? minutes + " min"
    : minutes < 2880 ? Math.round(minutes / 60) + " h" : Math.round(minutes / 144) / 10 + " days";
  const minutesSince = (text) => Math.max(0, Math.floor((Date.now() - Date.parse(text)) / 60000));
  const tell = () => {
    const minutes = minutesSince(document.body.dataset.written), old = minutes > LIMIT;
    byId("age").textContent = ", " + words(minutes) + " ago";
    byId("age").classList.toggle("bad", old);
    const stale = byId("stale");
    const text = old ? "This page is " + words(minutes) + " old and is no longer up to date. " + document.body.dataset.advice : "";
    if (stale.textContent !== text) stale.textContent = text;
    stale.hidden = !old;
    for (const row of document.querySelectorAll("tr[data-at]")) {
      const since = minutesSince(row.dataset.at), late = "watched" in row.dataset && since > Number(row.dataset.stale || LIMIT);
      row.classList.toggle("old", late);
      row.querySelector(".age").textContent = words(since) + (late ? ", stale" : "");
    }
  };
  tell();
  setInterval(tell, 30000);
})();
