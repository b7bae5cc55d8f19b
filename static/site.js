/* Live updates and the second time zone; every page can be read without this file. */
"use strict";
(() => {
  const POLL_MS = 15000;
  let checked = Date.now();
  let busy = false;
  let again = false;
  const shown = () => document.querySelector("[data-revision]")?.dataset.revision;

  /* Put fresh content into a part; what was open stays open, and the keyboard stays where it was. */
  const replace = (part, other) => {
    if (!other || (other.innerHTML === part.dataset.seen && part.id !== "fresh")) return;
    const active = part.contains(document.activeElement) ? document.activeElement : null;
    const twins = (href) => [...part.querySelectorAll("a")].filter((link) => link.getAttribute("href") === href);
    const held = active && active.getAttribute("href");
    const place = held ? twins(held).indexOf(active) : -1;
    const open = [...part.querySelectorAll("details")].map((one) => one.open);
    part.dataset.seen = other.innerHTML;
    part.replaceChildren(...[...other.childNodes].map((node) => document.adoptNode(node)));
    part.querySelectorAll("details").forEach((one, index) => { one.open = one.open || open[index] || false; });
    if (held) twins(held)[place]?.focus({ preventScroll: true });
  };

  /* Replace each part marked data-live by the same part of a fresh copy of the page. */
  const refresh = async () => {
    if (busy) { again = true; return; }
    busy = true;
    try {
      const answer = await fetch(location.href, { cache: "no-cache", headers: { accept: "text/html" } });
      if (!answer.ok) return;
      checked = Date.now();
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const part of document.querySelectorAll("[data-live]")) replace(part, fresh.getElementById(part.id));
      showZones();
    } catch { /* the age shown below tells it */ } finally {
      busy = false;
      if (again) { again = false; setTimeout(refresh, 1000); }
    }
  };

  /* A frozen page of good news must not look fresh: say when it was last confirmed. */
  const tick = () => {
    const line = document.querySelector("[data-fresh]");
    if (!line) return;
    const seconds = Math.round((Date.now() - checked) / 1000);
    if (seconds <= Number(line.dataset.limit)) {
      if (line.dataset.lost) refresh();
    } else {
      line.dataset.lost = "yes";
      line.classList.add("stale");
      if (!line.hasAttribute("role")) line.setAttribute("role", "alert");
      const age = line.querySelector(".age") || line.appendChild(document.createElement("span"));
      age.className = "age";
      age.textContent = `no answer from the monitor for ${seconds} s`;
    }
  };

  const offset = (instant) => {
    const minutes = -instant.getTimezoneOffset();
    const two = (number) => String(number).padStart(2, "0");
    return `${minutes < 0 ? "-" : "+"}${two(Math.floor(Math.abs(minutes) / 60))}:${two(Math.abs(minutes) % 60)}`;
  };
  const inBrowser = (iso) => {
    const instant = new Date(iso);
    const two = (number) => String(number).padStart(2, "0");
    const clock = [instant.getHours(), instant.getMinutes(), instant.getSeconds()].map(two).join(":");
    const day = `${instant.getFullYear()}-${two(instant.getMonth() + 1)}-${two(instant.getDate())}`;
    return `${day === iso.slice(0, 10) ? "" : `${day} `}${clock} ${offset(instant)}`;
  };
  const showZones = () => {
    const choice = document.querySelector("[data-zones]");
    if (!choice) return;
    for (const time of document.querySelectorAll("time")) {
      let zone = time.querySelector(".zone");
      if (!zone && choice.value === "browser" && time.querySelector(".clock")) {
        time.append(" ");
        zone = time.appendChild(document.createElement("span"));
        zone.className = "zone";
        zone.dataset.site = "";
      }
      if (!zone) continue;
      if (zone.dataset.site === undefined) zone.dataset.site = zone.textContent;
      zone.textContent = choice.value === "browser" ? inBrowser(time.dateTime) : zone.dataset.site;
    }
  };
  const startZones = () => {
    const choice = document.querySelector("[data-zones]");
    if (!choice) return;
    choice.closest("label").hidden = false;
    document.querySelector(".site-zone").hidden = true;
    try { choice.value = localStorage.getItem("zone") || "site"; } catch { /* no storage: the site's zone */ }
    choice.addEventListener("change", () => {
      try { localStorage.setItem("zone", choice.value); } catch { /* forgotten with the page */ }
      showZones();
    });
    showZones();
  };

  const startLive = () => {
    if (!document.querySelector("[data-live]")) return;
    let streaming = false;
    const stream = new EventSource("/events");
    /* What changed while the page was loaded, or not connected, shows in the revision that is told. */
    const hear = (event) => {
      streaming = true;
      checked = Date.now();
      if (event.data !== shown()) refresh();
    };
    stream.addEventListener("changed", hear);
    stream.addEventListener("alive", hear);
    stream.onerror = () => { streaming = false; };
    setInterval(() => { if (!streaming || Date.now() - checked > 2 * POLL_MS) refresh(); }, POLL_MS);
    setInterval(tick, 1000);
  };

  startZones();
  startLive();
})();
