/* Suzani web capture: one tag, and the page tells what visitors do. See docs/web-capture.md.
 *
 *   <script async src="https://cdp.example.bank/capture.js" data-write-key="…"></script>
 *
 * What is typed is never read, unless the page marks a field `data-suzani-capture`. Calls made before this file
 * has loaded: (window.suzani = window.suzani || []).push(["identify", "c-17"]).
 */
(() => {
  "use strict";
  const EVENT_BYTES = 30_000, BATCH_BYTES = 30_000; // what is on its way on leaving must fit in 64 KB altogether
  const QUEUE_BYTES = 1_000_000, FLUSH_MS = 1_000, LONGEST_WAIT_S = 300, PARKED_MS = 30 * 60_000;
  const ERRORS_PER_PAGE = 10, RAGE_CLICKS = 4, RAGE_MS = 600, RAGE_PX = 30;
  const BUTTONS = "[type=submit],[type=button],[type=reset],[type=image]";
  const FIELD = `input:not([type=hidden],${BUTTONS}),select,textarea,[contenteditable]:not([contenteditable=false])`;
  const CHOICE = ["option", "radio", "checkbox", "switch", "menuitemradio"].map((role) => `[role=${role}]`).join();
  const CLICKABLE = `a,button,summary,label,${FIELD},${BUTTONS},${CHOICE},[role=button],[role=link],[role=tab],`
    + "[role=menuitem],[onclick],[tabindex='0']";
  const UNREAD = `${FIELD},script,style,noscript,template,[data-suzani-mask],[data-suzani-ignore]`;
  const SECRET = "[type=password],[autocomplete^=cc-],[autocomplete*=password],[autocomplete=one-time-code]";
  const CAMPAIGN = /^(utm_\w+|[gy]clid|fbclid|msclkid|ttclid)$/;
  // E-mails; nine digits and more (cards, accounts, phones, national ids); passports.
  const PERSONAL =
    /[^\s@/?&=:;,<>"']+@[^\s@/?&=:;,<>"']+\.\p{L}+|\+?(?:\p{Nd}[\s().\-]{0,2}){8,}\p{Nd}|\p{L}{2}[\s\-]?\p{Nd}{7}/gu;

  const script = document.currentScript || document.querySelector("script[data-write-key]");
  if (!script || window.suzani?.consent) return;
  const option = (name) => script.getAttribute(`data-${name}`);
  const endpoint = new URL("v1/batch", option("endpoint")?.replace(/\/?$/, "/") || script.src).href;
  const required = option("consent") === "required";
  const writeKey = option("write-key");
  const domain = option("cookie"); // null: no cookie; "": this host's; else of this domain and all below it
  const queries = new Set((option("query") || "").split(/[\s,]+/));

  /* Nothing here may disturb the page: whatever fails, fails quietly. */
  const warn = (text, why) => { try { console.warn(`suzani: ${text}`, why ?? ""); } catch { /* no console */ } };
  const quietly = (act) => function (...given) {
    try { return act.apply(this, given); } catch (error) { warn("not captured", error); }
  };
  const listen = (target, types, act) => {
    for (const type of types.split(" ")) target.addEventListener(type, quietly(act), { capture: true, passive: true });
  };
  // A form's field may be named `id` or `matches` and hide the form's own, hence members of the prototypes.
  const own = (type, name) => {
    const member = Object.getOwnPropertyDescriptor(type.prototype, name);
    const call = member.value || member.get;
    return (node, ...given) => call.apply(node, given);
  };
  const attribute = own(Element, "getAttribute"), tagOf = own(Element, "localName");
  const matches = own(Element, "matches"), closest = own(Element, "closest"), find = own(Element, "querySelectorAll");
  const before = own(Element, "previousElementSibling"), next = own(Element, "nextElementSibling");
  const children = own(Node, "childNodes"), connected = own(Node, "isConnected"), contains = own(Node, "contains");
  const post = window.fetch, monotonic = () => performance.now();
  const secondsSince = (moment) => Math.round((monotonic() - moment) / 1000);
  const uuid = () => crypto.randomUUID?.() ||
    Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

  function after(object, name, act) {
    const real = object[name];
    object[name] = function (...given) {
      const result = real.apply(this, given);
      quietly(act)(this);
      return result;
    };
  }

  /* Texts and addresses, without what is personal. */
  const clean = (text, longest = 120) =>
    String(text ?? "").replace(PERSONAL, "***").replace(/\s+/g, " ").trim().slice(0, longest);
  const decoded = (text) => { try { return decodeURIComponent(text); } catch { return text; } };
  function address(text) {
    if (!text) return "";
    const url = new URL(text, location.href);
    if (!/^https?:$/.test(url.protocol)) return url.protocol;
    const kept = [...url.searchParams].filter(([name]) => CAMPAIGN.test(name) || queries.has(name));
    const query = kept.map(([name, value]) => `${name}=${clean(value)}`).join("&");
    const route = /^#!?\//.test(url.hash) ? url.hash.split("?")[0] : "";
    return url.origin + clean(decoded(url.pathname), 500) + (query && `?${query}`) + clean(decoded(route), 200);
  }
  function words(node) {
    if (node.nodeType === 3) return node.data;
    if (node.nodeType !== 1 || matches(node, UNREAD)) return "";
    let text = attribute(node, "alt") || "";
    for (const child of children(node)) if (text.length < 400) text += ` ${words(child)}`;
    return text;
  }
  const wording = (element) => clean(attribute(element, "aria-label") || words(element).trim()
    || attribute(element, "title") || (matches(element, BUTTONS) ? attribute(element, "value") : ""));

  /* Where something happened: the elements around it, innermost first. */
  const around = (event) => event.composedPath().filter((node) => node instanceof Element);
  const within = (path, selector) => path.find((element) => matches(element, selector));
  const ignored = (path) => within(path, "[data-suzani-ignore]");
  function place(element) {
    const tag = tagOf(element);
    const choice = matches(element, "[type=radio],[type=checkbox]"); // whose id would tell what was chosen
    const test = attribute(element, "data-testid"), id = attribute(element, "id"), name = attribute(element, "name");
    if (test && !choice) return [`[data-testid="${test}"]`, true];
    if (id && !choice && !/\d{3}|[^\w-]/.test(id)) return [`${tag}#${id}`, true];
    if (name) return [`${tag}[name="${name}"]`, false];
    const same = (step) => {
      let count = 0;
      for (let at = step(element); at; at = step(at)) count += tagOf(at) === tag;
      return count;
    };
    const earlier = same(before);
    return [earlier || same(next) ? `${tag}:nth-of-type(${earlier + 1})` : tag, false];
  }
  /* Ids and names survive the next release of a page, classes do not. */
  function selectorOf(path) {
    const steps = [];
    for (const element of path.slice(0, 6)) {
      const [step, enough] = place(element);
      steps.unshift(step);
      if (enough) break;
    }
    return clean(steps.join(" > "), 250);
  }
  const fieldName = (field) =>
    clean(attribute(field, "name") || attribute(field, "id") || attribute(field, "aria-label") || tagOf(field), 60);
  function described(path) {
    const [element] = path;
    const chosen = matches(element, CHOICE) && !within(path, "[data-suzani-capture]");
    const text = matches(element, FIELD) ? fieldName(element) : wording(element);
    const link = within(path, "a[href]");
    return {
      text: chosen || within(path, "[data-suzani-mask]") ? "***" : text,
      tag: tagOf(element),
      role: attribute(element, "role") || undefined,
      selector: selectorOf(path),
      href: link ? address(attribute(link, "href")) : undefined,
    };
  }

  /* Consent, and what is kept: nothing before it is given. */
  const refusedBySignal = navigator.globalPrivacyControl || navigator.doNotTrack === "1" || window.doNotTrack === "1";
  const stored = (act) => { try { return act(localStorage); } catch { return undefined; } }; // may be forbidden or full
  const keysOf = (prefix) => {
    const keys = stored((storage) => Object.keys(storage)) || [];
    return keys.filter((key) => key.startsWith(`suzani:${prefix}`)).map((key) => key.slice(7)).sort();
  };
  const recall = (name) => stored((storage) => storage.getItem(`suzani:${name}`));
  const forget = (name) => stored((storage) => storage.removeItem(`suzani:${name}`));
  const parsed = (text) => { try { return JSON.parse(text) || {}; } catch { return {}; } };
  const keep = (name, value) => granted() && stored((storage) => storage.setItem(`suzani:${name}`, value));
  const answered = recall("consent");
  let consent = required && answered !== "yes" ? "awaited" : "granted";
  if (refusedBySignal || answered === "no") consent = "refused";
  const granted = () => consent === "granted";
  let anonymous, user;
  const cookie = (value, seconds) => {
    document.cookie = `suzani_id=${value};path=/;max-age=${seconds};samesite=lax` + (domain && `;domain=${domain}`)
      + (location.protocol === "https:" ? ";secure" : "");
  };
  function remember() {
    keep("anonymous", anonymous);
    if (user) keep("user", user); else forget("user");
    if (domain !== null && granted()) cookie(anonymous, 365 * 86_400);
  }
  function recognise() {
    const held = domain === null ? null : /(?:^|; )suzani_id=([\w-]+)/.exec(document.cookie);
    anonymous = held?.[1] || recall("anonymous") || uuid();
    user = recall("user") || undefined;
    remember();
  }
  function erase() {
    queue.length = bytes = 0;
    forms.clear();
    keysOf("").forEach(forget);
    if (domain !== null) cookie("", 0);
    anonymous = uuid();
    user = undefined;
  }

  /* The queue: in memory, and kept under one key an event, so that tabs do not overwrite each other's.
     What was handed to the browser on leaving stays kept until it is acknowledged: sent twice, it counts once. */
  const queue = [];
  let bytes = 0, dropped = 0, count = 0, failures = 0, sending = [], timer = 0, closed = false;
  function enqueue(key, text) {
    const size = new Blob([text]).size;
    if (size > EVENT_BYTES) return warn("an event is too large");
    keep(key, text);
    queue.push({ key, text, size });
    for (bytes += size; bytes > QUEUE_BYTES; dropped++) discard([queue[0]]);
    plan(FLUSH_MS);
  }
  function discard(items) {
    for (const item of items) {
      const index = queue.indexOf(item);
      if (index < 0) continue;
      queue.splice(index, 1);
      bytes -= item.size;
      forget(item.key);
    }
  }
  function take(items) {
    let size = 0;
    const beyond = items.findIndex((item, index) => (size += item.size) > BATCH_BYTES && index);
    return items.slice(0, beyond < 0 ? items.length : beyond);
  }
  /* Joined from texts: some pages change how arrays become JSON. */
  const bodyOf = (items) => {
    const { width, height } = screen, { timeZone: timezone } = Intl.DateTimeFormat().resolvedOptions();
    const { language: locale, userAgent } = navigator, library = { name: "suzani-capture", version: "1", dropped };
    const context = { library, locale, timezone, userAgent, screen: { width, height } };
    const head = JSON.stringify({ writeKey, sentAt: new Date().toISOString(), context });
    return `${head.slice(0, -1)},"batch":[${items.map((item) => item.text).join()}]}`;
  };
  function plan(wait) { if (!timer) timer = setTimeout(flush, wait); }
  const flush = quietly(() => {
    timer = 0;
    if (sending.length || closed || !granted() || !queue.length || navigator.onLine === false) return;
    const items = take(queue);
    const settled = quietly((status, wait) => { sending = []; acknowledge(items, status, wait); });
    // As plain text, so that browsers ask no leave beforehand (no preflight).
    const answer = post(endpoint, { method: "POST", body: bodyOf(items), headers: { "Content-Type": "text/plain" },
      credentials: "omit", keepalive: true, signal: AbortSignal.timeout?.(30_000) });
    sending = items;
    answer.then((answer) => settled(answer.status, answer.headers.get("retry-after")), () => settled(0));
  });
  function acknowledge(items, status, wait) {
    const taken = status >= 200 && status < 300;
    if (taken || status === 400 || status === 413) discard(items);
    failures = taken ? 0 : failures + 1;
    closed = status === 401 || status === 403;
    if (!taken && status) warn(`the collector answered ${status}`);
    if (status === 400 || status === 413) dropped += items.length;
    const asked = Number(wait) || (Date.parse(wait) - Date.now()) / 1000 || 0;
    const seconds = Math.max(asked, Math.min(2 ** failures, LONGEST_WAIT_S) * (0.5 + Math.random() / 2));
    if (queue.length) plan(failures ? seconds * 1000 : bytes > BATCH_BYTES ? 0 : FLUSH_MS);
  }
  function beacon() {
    if (closed || !granted()) return;
    let rest = queue.filter((item) => !sending.includes(item));
    for (let items = take(rest); items.length && navigator.sendBeacon(endpoint, bodyOf(items)); items = take(rest)) {
      rest = rest.slice(items.length);
    }
  }
  /* What earlier pages could not send, and what they left for when their visitor does not come back. */
  function adopt() {
    for (const key of keysOf("parked:")) {
      const { at, texts } = parsed(recall(key));
      if (Date.now() - at < PARKED_MS) continue;
      texts?.forEach((text, index) => keep(`event:${at}-${index}${key}`, text));
      forget(key);
    }
    for (const key of keysOf("event:")) {
      const text = recall(key);
      if (parsed(text).messageId) enqueue(key, text);
    }
  }

  /* Events. */
  const composed = (message, page) => {
    const { campaign, ...seen } = page;
    const context = { page: seen, campaign };
    return JSON.stringify({ ...message, messageId: uuid(), timestamp: new Date().toISOString(), anonymousId: anonymous,
      userId: user, context });
  };
  function emit(message, page) {
    if (consent === "refused") return;
    viewing?.();
    const key = `event:${Date.now()}-${String(count++).padStart(5, "0")}${uuid().slice(0, 8)}`;
    enqueue(key, composed(message, page || current));
  }
  const happened = (name, properties, page) => emit({ type: "track", event: name, properties }, page);

  /* Pages. */
  function known() {
    const utm = [...new URLSearchParams(location.search)].filter(([name]) => name.startsWith("utm_"));
    const named = utm.map(([name, value]) => [name === "utm_campaign" ? "name" : name.slice(4), clean(value)]);
    return {
      title: clean(document.title),
      url: address(location.href),
      path: clean(decoded(location.pathname), 500),
      referrer: address(current ? current.url : document.referrer),
      campaign: utm.length ? Object.fromEntries(named) : undefined,
    };
  }
  const route = () => location.pathname + (/^#!?\//.test(location.hash) ? location.hash : "");
  let current, at, since, seen, visibleSince, depth, errors, told, viewing, left = false;
  function arrive() {
    at = route();
    since = monotonic();
    visibleSince = document.visibilityState === "visible" ? since : null;
    seen = depth = errors = 0;
    told = new Set();
    viewing = () => view();
    setTimeout(quietly(() => viewing?.()), 100); // applications set the title only after the address
  }
  function view(name, properties) {
    viewing = null;
    const { campaign, ...page } = current = known();
    emit({ type: "page", name: name || page.title, properties: { ...page, ...properties } });
  }
  function scrolled() {
    const { scrollHeight } = document.documentElement;
    depth = Math.max(depth, Math.min(100, Math.round(((scrollY + innerHeight) / scrollHeight) * 100) || 0));
  }
  function pageLeft() {
    viewing?.();
    scrolled();
    const visible = seen + (visibleSince === null ? 0 : monotonic() - visibleSince);
    const { title, url, path } = current;
    const properties = { title, url, path, seconds: secondsSince(since), visible_seconds: Math.round(visible / 1000),
      scroll_percent: depth };
    return [{ type: "track", event: "Page Left", properties }, current];
  }
  const routed = () => {
    if (at === undefined || route() === at) return;
    emit(...pageLeft());
    arrive();
    setTimeout(quietly(() => abandon((form) => !connected(form))), 500);
  };

  /* Forms: begun when something is filled in, and then either submitted or abandoned. */
  const forms = new Map();
  function formOf(path, field) {
    return path.filter((element) => matches(element, "[data-suzani-form]")).pop() || field.form || within(path, "form");
  }
  function begun(form, path) {
    const heading = find(form, "legend,h1,h2,h3")[0];
    const named = attribute(form, "data-suzani-form") || attribute(form, "aria-label") || (heading && wording(heading));
    const state = { since: monotonic(), page: current, filled: new Set(), values: {}, last: "", fields: 0,
      form: clean(named || attribute(form, "name") || attribute(form, "id") || document.title),
      selector: selectorOf(path.includes(form) ? path.slice(path.indexOf(form)) : [form]) };
    forms.set(form, state);
    return state;
  }
  function summary({ form, selector, fields, filled, last: last_field, since, values }) {
    return { form, selector, fields, filled: [...filled], last_field, seconds: secondsSince(since),
      values: Object.keys(values).length ? values : undefined };
  }
  function filled(event) {
    const path = around(event), field = within(path, FIELD), form = field && formOf(path, field);
    if (!form || !event.isTrusted || ignored(path) || consent === "refused") return;
    viewing?.();
    const fresh = !forms.has(form), state = forms.get(form) || begun(form, path);
    state.last = fieldName(field);
    state.filled.add(state.last);
    state.fields = Math.max(state.fields, new Set([...find(form, FIELD)].map(fieldName)).size);
    if (within(path, "[data-suzani-capture]") && !matches(field, SECRET)) {
      state.values[state.last] = field.type === "checkbox" ? field.checked : clean(field.value ?? words(field));
    }
    const { form: name, selector, fields, last } = state;
    if (fresh) happened("Form Started", { form: name, selector, fields, field: last });
  }
  function focused(event) {
    const path = around(event), field = within(path, FIELD), state = field && forms.get(formOf(path, field));
    if (state && !ignored(path)) state.last = fieldName(field);
  }
  function submitted(form) {
    const container = [...forms.keys()].find((known) => contains(known, form));
    if (!container) return;
    const { last_field, ...properties } = summary(forms.get(container));
    forms.delete(container);
    happened("Form Submitted", properties);
  }
  const abandoned = (state) => [{ type: "track", event: "Form Abandoned", properties: summary(state) }, state.page];
  function abandon(which) {
    for (const [form, state] of forms) {
      if (!which(form)) continue;
      forms.delete(form);
      emit(...abandoned(state));
    }
  }

  /* Clicks. */
  let clicks = [];
  function clicked(event) {
    const path = around(event);
    if (!event.isTrusted || !path.length || ignored(path)) return;
    const index = path.findIndex((element) => matches(element, CLICKABLE));
    const pointer = index < 0 && getComputedStyle(path[0]).cursor === "pointer";
    const target = path.slice(Math.max(index, 0)), [element] = target;
    const field = matches(element, FIELD) || (tagOf(element) === "label" && element.control); // forms tell of those
    if ((index >= 0 || pointer) && !field) happened("Element Clicked", described(target));
    raging(event, target);
  }
  function raging({ clientX: x, clientY: y, timeStamp: time }, path) {
    const last = clicks.at(-1);
    if (!last || time - last.time > RAGE_MS || Math.hypot(x - last.x, y - last.y) > RAGE_PX) clicks = [];
    clicks.push({ x, y, time });
    const selecting = getSelection()?.isCollapsed === false; // a third click marks a paragraph
    if (clicks.length !== RAGE_CLICKS || selecting) return;
    happened("Rage Clicked", { ...described(path), clicks: RAGE_CLICKS });
  }

  /* Errors: of scripts, of what was filled in, and those that the page shows. Each once a page. */
  function failed(kind, message, more) {
    const text = clean(message, 300), key = `${kind} ${text} ${more?.field || ""}`;
    if (!text || told.has(key) || errors >= ERRORS_PER_PAGE) return;
    told.add(key);
    errors++;
    happened("Error Shown", { kind, message: text, ...more });
  }
  function invalid(event) {
    const { target } = event;
    if (ignored(around(event))) return;
    let reason = "customError"; // and not the browser's own message, which may repeat what was typed
    for (const flag in target.validity) if (flag !== "valid" && target.validity[flag] === true) reason = flag;
    failed("validation", reason, { field: fieldName(target), form: forms.get(target.form)?.form });
  }
  function alerted(changes) {
    for (const { target, addedNodes } of changes) {
      const around = target instanceof Element && closest(target, "[role=alert]");
      const added = [...addedNodes].filter((node) => node.nodeType === 1);
      const alerts = added.flatMap((node) => [node, ...find(node, "[role=alert]")]);
      for (const alert of around ? [around] : alerts.filter((node) => matches(node, "[role=alert]"))) {
        if (closest(alert, "[data-suzani-ignore]")) continue;
        failed("alert", closest(alert, "[data-suzani-mask]") ? "***" : wording(alert));
      }
    }
  }

  /* Leaving: for good, or perhaps not (a tab in the background may be closed without a word). */
  const tab = uuid().slice(0, 8);
  function hidden() {
    if (left) return;
    seen += visibleSince === null ? 0 : monotonic() - visibleSince;
    visibleSince = null;
    const texts = [...[...forms.values()].map(abandoned), pageLeft()].map((given) => composed(...given));
    keep(`parked:${tab}`, JSON.stringify({ at: Date.now(), texts }));
    beacon();
  }
  function shown() {
    visibleSince ??= monotonic();
    forget(`parked:${tab}`);
  }
  function leave() {
    if (left) return;
    abandon(() => true);
    emit(...pageLeft());
    forget(`parked:${tab}`);
    left = true;
    beacon();
  }

  /* Another tab has signed in or out, or withdrawn consent. */
  function elsewhere({ key }) {
    if ((key !== "suzani:anonymous" && key !== "suzani:user") || !granted()) return;
    anonymous = recall("anonymous");
    user = recall("user") || undefined;
    if (!anonymous) calls.consent(false);
  }

  /* What pages may call. */
  const plain = (value) => (value && typeof value === "object" ? value : undefined);
  const calls = {
    identify(id, traits) {
      if (consent === "refused") return;
      const named = plain(id) ? undefined : id && String(id);
      if (named && user && named !== user) anonymous = uuid(); // two people, one device
      user = named || user;
      remember();
      emit({ type: "identify", traits: plain(id) || traits || {} });
    },
    track(name, properties) {
      const told = name === "Form Submitted" && [...forms].find(([, state]) => state.form === properties?.form);
      if (told) forms.delete(told[0]);
      happened(String(name), properties || {});
    },
    page(...given) {
      const [name, category] = given.filter((value) => typeof value === "string").reverse();
      view(name, { ...(category && { category }), ...plain(given.at(-1)) });
    },
    reset() {
      anonymous = uuid();
      user = undefined;
      remember();
    },
    consent(given) {
      if (refusedBySignal) return;
      const again = consent === "refused";
      consent = given ? "granted" : "refused";
      if (!given) {
        erase();
        if (!required) stored((storage) => storage.setItem("suzani:consent", "no")); // else no answer means no
        return;
      }
      keep("consent", "yes");
      remember();
      queue.forEach(({ key, text }) => keep(key, text));
      if (again && !left) arrive();
      plan(0);
    },
  };
  const early = Array.isArray(window.suzani) ? window.suzani : [];
  let started = false;
  const api = { push: ([name, ...given]) => api[name]?.(...given) };
  for (const [name, call] of Object.entries(calls)) {
    api[name] = quietly((...given) => { started ? call(...given) : early.push([name, ...given]); });
  }
  window.suzani = api;

  function start() {
    recognise();
    adopt();
    arrive();
    listen(window, "click", clicked);
    listen(window, "input", filled);
    listen(window, "focusin", focused);
    listen(window, "submit", (event) => submitted(event.target));
    listen(window, "invalid", invalid);
    listen(window, "error", ({ message, filename, lineno }) =>
      failed("script", message, { source: `${address(filename)}:${lineno}` }));
    listen(window, "unhandledrejection", ({ reason }) => failed("promise", reason?.message || reason));
    listen(window, "scroll", scrolled);
    listen(window, "online", () => { clearTimeout(timer); timer = 0; flush(); });
    listen(document, "visibilitychange", () => (document.visibilityState === "visible" ? shown() : hidden()));
    listen(window, "pagehide", leave);
    listen(window, "pageshow", ({ persisted }) => { if (persisted) { left = false; arrive(); } });
    listen(window, "storage", elsewhere);
    listen(window, "popstate hashchange", routed);
    if (window.navigation) listen(navigation, "currententrychange", routed);
    else for (const name of ["pushState", "replaceState"]) after(history, name, routed);
    after(HTMLFormElement.prototype, "submit", submitted); // which tells nobody by itself
    new MutationObserver(quietly(alerted)).observe(document, { childList: true, subtree: true });
    started = true;
    early.forEach(quietly(api.push));
  }
  if (refusedBySignal) quietly(erase)();
  else if (document.prerendering) listen(document, "prerenderingchange", start);
  else quietly(start)();
})();
