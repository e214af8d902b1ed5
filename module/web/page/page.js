/* What the API tells, shown. Texts reach the document as text nodes only, never as HTML. */
const PAGE_ROWS = 50;
const SUMMARY_EVERY_MS = 30000;
const PLOT_HEIGHT = 170;
const $ = (id) => document.getElementById(id);

/* --- words --- */

let words = WORDS[navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en"];

/** The word of a key, with what belongs into its places {0}, {1} ... */
const say = (key, ...parts) => words[key].replace(/\{(\d)\}/g, (all, index) => parts[index]);
/** A word of the log; one that is not known here is shown as it is. */
const sayWord = (group, word) => words[`${group}:${word}`] ?? visible(word);
const number = (value) => value.toLocaleString(words.tag);

/** What turns text round or cannot be seen is written out, so that nothing looks like what it is not. */
function visible(text) {
    return String(text ?? "").replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}\p{Cs}]/gu,
        (c) => `\\u{${c.codePointAt(0).toString(16)}}`);
}

/** Make an element. A string among the children becomes a text node. */
function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes))
        if (typeof value === "function")
            element.addEventListener(name, value);
        else if (value !== null && value !== false)
            element.setAttribute(name, value === true ? "" : value);
    element.append(...children.filter((child) => child !== null));
    return element;
}

const name = (text) => make("bdi", { class: "name" }, visible(text));

const DATE = { month: "short", day: "numeric" };
const CLOCK = { hour: "2-digit", minute: "2-digit" };

/** A moment in the reader's own time zone; the year where it is another one than now. */
function time(text, style = { ...DATE, ...CLOCK }) {
    if (text === null)
        return "";
    const at = new Date(text);
    const year = at.getFullYear() === new Date().getFullYear() ? {} : { year: "numeric" };
    return make("time", { datetime: text, title: text }, at.toLocaleString(words.tag, { ...style, ...year }));
}

function translate() {
    document.documentElement.lang = words.tag;
    document.title = `${say("title")} - mxclash`;
    for (const element of document.querySelectorAll("[data-word]"))
        element.textContent = say(element.dataset.word);
    for (const element of document.querySelectorAll("[data-label]"))
        element.setAttribute("aria-label", say(element.dataset.label));
    $("language").textContent = words.other;
    $("language").lang = words.otherTag;
}

/* --- where the data come from --- */

/** The data of a report, or null where a server has them. */
const enclosed = JSON.parse($("data").textContent.trim() || "null");

async function fetchJson(path, parameters = {}) {
    const query = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value !== ""));
    let response, answer;
    try {
        response = await fetch(`api/v1/${path}?${query}`, { headers: { Accept: "application/json" } });
        answer = await response.json();
    } catch {
        throw new Error(say("gone"));
    }
    if (!response.ok)
        throw Object.assign(new Error(answer.error.text), { status: response.status });
    return answer;
}

const server = {
    summary: () => fetchJson("summary"),
    timeline: (days) => fetchJson("timeline", { days }),
    list: (filter) => fetchJson("conflicts", filter),
    domain: (domain) => fetchJson(`conflicts/${encodeURIComponent(domain)}`),
};

const ORDERS = {
    "mx-queries": (a, b) => b.mx_queries - a.mx_queries,
    "first-seen": (a, b) => b.first_seen.localeCompare(a.first_seen),
    "last-seen": (a, b) => b.last_seen.localeCompare(a.last_seen),
    "domain": (a, b) => (a.domain < b.domain ? -1 : a.domain > b.domain ? 1 : 0),
};

/** The same questions, answered out of the report itself. */
const report = {
    summary: async () => enclosed.summary,
    timeline: async (days) => enclosed.timelines[days],
    async list({ q, state, kind, provider, sort, limit, after }) {
        const found = enclosed.conflicts.filter((c) =>
            (!q || c.domain.includes(q.toLowerCase())) && (state === "open" || c.state === state) &&
            (!kind || c.kind === kind) &&
            (!provider || (provider === "none" ? c.provider === null : c.provider === provider)));
        const from = Number(after) || 0, next = from + limit;
        return {
            conflicts: found.sort(ORDERS[sort]).slice(from, next),
            total: found.length,
            next: next < found.length ? String(next) : null,
        };
    },
    async domain(domain) {
        if (!Object.hasOwn(enclosed.domains, domain))
            throw Object.assign(new Error(say("unknownDomain")), { status: 404 });
        return enclosed.domains[domain];
    },
};

const source = enclosed ? report : server;

const faults = new Map();

/** Run a part of the page; what fails is said at its top until it works again. */
async function attempt(part, work) {
    try {
        await work();
        faults.delete(part);
    } catch (error) {
        faults.set(part, say("failed", visible(error.message)));
    }
    $("fault").replaceChildren(...new Set(faults.values()));
}

/* --- what is open now --- */

function figure(label, value, note) {
    return make("div", {}, make("dt", {}, label), make("dd", { class: "big" }, value),
        make("dd", { class: "note" }, note));
}

/** A list of shares: a bar, a button, a number. */
function shares(list, members, noneWord) {
    const most = Math.max(1, ...members.map((member) => member.count));
    list.replaceChildren(...members.map((member) => {
        const bar = make("span", { class: "bar", "aria-hidden": "true" });
        bar.style.width = `${(100 * member.count) / most}%`;
        return make("li", {}, bar,
            make("button", { type: "button", class: "as-link", click: member.click }, member.label),
            make("span", {}, number(member.count)));
    }));
    if (members.length === 0)
        list.append(make("li", { class: "empty" }, noneWord));
}

/** Show the list with one value of the filter set. */
function filterBy(field, value) {
    $("filter").reset();
    const input = $("filter").elements[field];
    if (![...input.options].some((option) => option.value === value))
        input.append(make("option", { value }, visible(value)));
    input.value = value;
    startList();
    $("list").focus();
    $("list").scrollIntoView();
}

/** Fill a select; one that is as it should be stays, for it may be open. */
function options(select, values, label) {
    const chosen = select.value, wanted = [words.tag, ...values].join();
    if (select.dataset.holds === wanted)
        return;
    select.dataset.holds = wanted;
    if (chosen !== "" && !values.includes(chosen))
        values.push(chosen);
    select.replaceChildren(make("option", { value: "" }, say("any")),
        ...values.map((value) => make("option", { value }, label(value))));
    select.value = chosen;
}

const providerLabel = (value) => (value === "none" ? say("noProvider") : visible(value));

async function showSummary() {
    const summary = await source.summary(), open = summary.open;
    const hosts = summary.hosts.length;
    $("asof").replaceChildren(say("asof", ""), time(summary.time));
    $("version").textContent = `mxclash ${summary.version}`;
    if (enclosed) {
        const made = time(summary.time);
        $("scope").hidden = false;
        $("scope").textContent = say("report", number(enclosed.conflicts.length), number(enclosed.total), made.textContent);
    }
    $("figures").replaceChildren(
        figure(say("conflicts"), number(open.conflicts), say("confirmed", number(open.confirmed), number(open.suspected))),
        figure(say("domains"), number(open.domains), hosts === 1 ? say("resolver") : say("resolvers", number(hosts))),
        figure(say("queries"), number(open.mx_queries), say("queriesNote")),
        figure(say("endedFigure"), number(summary.ended), say("endedNote")),
        figure(say("newest"), summary.newest === null ? say("never") : new Date(summary.newest).toLocaleTimeString(words.tag, CLOCK),
            time(summary.newest, DATE)));
    shares($("worst"), summary.domains.map((c) => ({
        label: name(c.domain), count: c.mx_queries, click: () => openDomain(c.domain),
    })), say("nothing"));
    shares($("providers"), summary.providers.map((p) => ({
        label: p.value === null ? say("noProvider") : visible(p.value), count: p.conflicts,
        click: () => filterBy("provider", p.value ?? "none"),
    })), say("none"));
    shares($("kinds"), summary.kinds.map((k) => ({
        label: sayWord("kind", k.value), count: k.conflicts, click: () => filterBy("kind", k.value),
    })), say("none"));
    options($("filter").elements.kind, Object.keys(words).filter((key) => key.startsWith("kind:")).map((key) => key.slice(5)),
        (value) => sayWord("kind", value));
    options($("filter").elements.provider, summary.providers.map((p) => p.value ?? "none"), providerLabel);
}

/* --- over time --- */

let plots = [];

const color = (variable) => getComputedStyle(document.documentElement).getPropertyValue(variable).trim();

function plot(points, label, key, line) {
    const values = points.map((point) => point[key]);
    const said = say("plotSaid", label, number(Math.max(0, ...values)), number(values.at(-1) ?? 0));
    const place = make("div", { role: "img", "aria-label": said });
    $("plots").append(make("figure", {}, make("figcaption", {}, label), place));
    const axis = { stroke: color("--soft"), grid: { stroke: color("--line"), width: 1 }, ticks: { stroke: color("--line"), width: 1 } };
    return new uPlot({
        width: place.clientWidth, height: PLOT_HEIGHT, legend: { show: false }, cursor: { show: false },
        scales: { y: { range: (self, low, high) => [0, Math.max(4, high * 1.05)] } },
        axes: [
            { ...axis, values: (self, splits, index, space, step) => splits.map((at) => new Date(at * 1000).toLocaleString(words.tag,
                step < 86400 ? CLOCK : DATE)) },
            { ...axis, size: 60, space: 30, values: (self, splits) => splits.map((value) => (Number.isInteger(value) ? value.toLocaleString(words.tag, { notation: "compact" }) : "")) },
        ],
        series: [{}, { stroke: color(line), width: 2, fill: `${color(line)}22`, points: { show: values.length < 3 } }],
    }, [points.map((point) => Date.parse(point.time) / 1000), values], place);
}

async function showTimeline() {
    const { points, step_s } = await source.timeline(Number($("days").value));
    const hourly = step_s < 86400;
    for (const shown of plots)
        shown.destroy();
    plots = [];
    $("plots").replaceChildren();
    if (typeof uPlot === "undefined")
        $("time-details").open = true;
    else
        plots = [plot(points, say("openPlot"), "open", "--open-line"),
            plot(points, say("queriesPlot", say(hourly ? "hour" : "aday")), "mx_queries", "--queries-line")];
    const columns = ["open", "opened", "cleared", "expired", "mx_queries"];
    const heads = ["open", "opened", "cleared", "expired", "mxQueries"];
    $("time-table").tHead.rows[0].replaceChildren(make("th", { scope: "col" }, say("time")),
        ...heads.map((head) => make("th", { scope: "col", class: "number" }, say(head))));
    $("time-table").tBodies[0].replaceChildren(...points.toReversed().map((point) =>
        make("tr", {}, make("td", { class: "time" }, time(point.time, hourly ? undefined : DATE)),
            ...columns.map((column) => make("td", { class: "number" }, number(point[column]))))));
}

/* --- the list --- */

/** Cursors of the pages before this one, and of this one; and which page was asked for last. */
let trail = [""];
let asked = 0;

const COLUMNS = ["domain", "kind", "state", "impact", "provider", "mxQueries", "firstSeen", "lastSeen"];

function stateOf(conflict) {
    const ended = conflict.ended !== null;
    return make("span", { class: `state ${ended ? "ended" : conflict.state === "confirmed" ? "confirmed" : "suspected"}` },
        sayWord("is", ended ? conflict.ending : conflict.state));
}

function row(conflict) {
    const cells = [
        make("button", { type: "button", class: "as-link", click: () => openDomain(conflict.domain) }, name(conflict.domain)),
        sayWord("kind", conflict.kind), stateOf(conflict), sayWord("impact", conflict.impact),
        visible(conflict.provider ?? "-"), number(conflict.mx_queries), time(conflict.first_seen), time(conflict.last_seen)];
    return make("tr", { role: "row" }, ...cells.map((cell, i) => make("td", {
        role: "cell", "data-head": say(COLUMNS[i]), class: COLUMNS[i] === "mxQueries" ? "number" : COLUMNS[i].endsWith("Seen") ? "time" : null,
    }, cell)));
}

async function showList() {
    const mine = ++asked;
    const filter = Object.fromEntries(new FormData($("filter")));
    const found = await source.list({ ...filter, q: filter.q.trim(), limit: PAGE_ROWS, after: trail.at(-1) });
    /* an answer that was overtaken by a later question is not shown */
    if (mine !== asked)
        return;
    const first = (trail.length - 1) * PAGE_ROWS;
    $("conflicts").tHead.rows[0].replaceChildren(...COLUMNS.map((column) =>
        make("th", { role: "columnheader", scope: "col", class: column === "mxQueries" ? "number" : null }, say(column))));
    $("conflicts").tBodies[0].replaceChildren(...found.conflicts.map(row));
    $("count").textContent = found.total === 0 ? say("countedNone") : found.total === 1 ? say("countedOne") : say("counted", number(found.total));
    $("page").textContent = found.conflicts.length === 0 ? "" :
        say("shown", number(first + 1), number(first + found.conflicts.length), number(found.total));
    $("conflicts").hidden = found.conflicts.length === 0;
    $("before").disabled = trail.length === 1;
    $("after").disabled = found.next === null;
    $("after").dataset.cursor = found.next ?? "";
}

function startList() {
    trail = [""];
    return attempt("list", showList);
}

async function turn(forward) {
    if (forward)
        trail.push($("after").dataset.cursor);
    else
        trail.pop();
    await attempt("list", showList);
    $("list").scrollIntoView();
    /* a button that has become disabled loses the focus */
    if (document.activeElement === document.body)
        $(forward ? "before" : "after").focus();
}

/* --- one domain --- */

function fact(word, value) {
    return value === null || value === "" ? [] : [make("dt", {}, say(word)), make("dd", {}, value)];
}

const yesNo = (value) => (value === null ? null : say(value ? "yes" : "no"));

function facts(c) {
    return make("dl", { class: "facts" },
        ...fact("mxQueries", number(c.mx_queries)),
        ...fact("target", c.cname && make("span", {}, name(c.cname.target), ` (TTL ${say("ttl", number(c.cname.ttl))})`)),
        ...fact("mx", c.mx.length === 0 ? null : make("span", {}, ...c.mx.flatMap((mx, i) => [i === 0 ? "" : ", ", `${mx.preference} `, name(mx.exchange)]))),
        ...fact("provider", c.provider && visible(c.provider)),
        ...fact("spf", c.spf && visible(c.spf)),
        ...fact("hidesSpf", c.hides_spf ? say("yes") : null),
        ...fact("zone", c.zone && name(c.zone)),
        ...fact("apex", yesNo(c.apex)),
        ...fact("evidence", sayWord("evidence", c.evidence)),
        ...fact("authority", c.authority && name(c.authority)),
        ...fact("differ", c.authorities_differ ? say("yes") : null),
        ...fact("host", c.host && name(c.host)),
        ...fact("firstSeen", time(c.first_seen)),
        ...fact("lastSeen", time(c.last_seen)),
        ...fact("ended", c.ended && time(c.ended)));
}

/** Steps with numbers; ways to do one are a list inside of it. */
function steps(list) {
    const top = make("ol");
    for (const step of list) {
        const item = make("li", {}, visible(step.text));
        if (step.records)
            item.append(make("pre", {}, step.records.split("\n").map(visible).join("\n").trimEnd()));
        if (!step.alternative)
            top.append(item);
        else {
            if (top.lastElementChild?.lastElementChild?.tagName !== "UL")
                (top.lastElementChild ?? top.appendChild(make("li"))).append(make("ul"));
            top.lastElementChild.lastElementChild.append(item);
        }
    }
    return top;
}

async function copy(area, status) {
    let done = false;
    try {
        await navigator.clipboard.writeText(area.value);
        done = true;
    } catch {
        /* a page that came over plain HTTP from another machine has no clipboard */
        area.select();
        done = document.execCommand("copy");
    }
    status.textContent = say(done ? "copied" : "notCopied");
}

let letters = 0;

/** The message to the owner, who may read another language than the operator. */
function letter(told) {
    const id = ++letters;
    const area = make("textarea", { readonly: true, "aria-label": say("message") });
    const status = make("span", { role: "status" });
    const choose = (tag) => {
        area.lang = tag;
        area.value = told[tag].letter;
    };
    choose(words.tag);
    return [make("h4", {}, say("message")),
        make("fieldset", {}, make("legend", {}, say("inLanguage")), ...Object.values(WORDS).map((language) =>
            make("label", { lang: language.tag }, make("input", {
                type: "radio", name: `letter-${id}`, checked: language === words, change: () => choose(language.tag),
            }), language.tag === "en" ? " English" : " 中文"))),
        area,
        make("p", {}, make("button", { type: "button", click: () => copy(area, status) }, say("copy")), " ", status)];
}

function conflict(c) {
    const told = c.told_as[words.tag];
    return make("article", {}, make("h3", {}, sayWord("kind", c.kind), " ", stateOf(c)),
        make("p", { class: "lead" }, visible(told.fault)), make("p", {}, visible(told.impact)),
        ...(c.ended === null ? [make("h4", {}, say("steps")), steps(told.steps), ...letter(c.told_as)] : []),
        make("h4", {}, say("seen")), facts(c));
}

const domainInAddress = () => new URLSearchParams(location.hash.slice(1)).get("domain");

async function showDomain() {
    const domain = domainInAddress(), detail = $("detail");
    if (domain === null) {
        detail.close();
        return;
    }
    $("detail-title").replaceChildren(name(domain));
    $("detail-body").replaceChildren(make("p", {}, say("fetching")));
    if (!detail.open)
        detail.showModal();
    $("detail-title").focus();
    let shown;
    try {
        shown = (await source.domain(domain)).conflicts.map(conflict);
    } catch (error) {
        shown = [make("p", { role: "alert" }, error.status === 404 ? say("unknownDomain") : say("failed", visible(error.message)))];
    }
    if (domain === domainInAddress())
        $("detail-body").replaceChildren(...shown);
}

function openDomain(domain) {
    location.hash = new URLSearchParams({ domain });
}

/* --- all of it --- */

function showNumbers() {
    return Promise.all([attempt("summary", showSummary), attempt("timeline", showTimeline)]);
}

async function showAll() {
    translate();
    await Promise.all([showNumbers(), attempt("list", showList), showDomain()]);
    document.body.dataset.ready = "yes";
}

let typing, resizing;

$("filter").addEventListener("submit", (event) => event.preventDefault());
$("filter").addEventListener("change", startList);
$("filter").elements.q.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(startList, 250);
});
$("filter").addEventListener("reset", () => setTimeout(startList));
$("before").addEventListener("click", () => turn(false));
$("after").addEventListener("click", () => turn(true));
$("days").addEventListener("change", () => attempt("timeline", showTimeline));
$("refresh").addEventListener("click", showAll);
$("language").addEventListener("click", () => {
    words = words === WORDS.en ? WORDS.zh : WORDS.en;
    showAll();
});
$("close").addEventListener("click", () => $("detail").close());
$("detail").addEventListener("close", () => {
    if (domainInAddress() !== null)
        history.replaceState(null, "", location.pathname + location.search);
});
$("detail").addEventListener("click", (event) => {
    if (event.target === $("detail"))
        $("detail").close();
});
addEventListener("hashchange", showDomain);
addEventListener("resize", () => {
    clearTimeout(resizing);
    resizing = setTimeout(() => plots.forEach((shown) => shown.setSize({ width: shown.root.parentElement.clientWidth, height: PLOT_HEIGHT })), 100);
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => attempt("timeline", showTimeline));
if (enclosed) {
    $("refresh").remove();
    $("api").remove();
    for (const option of $("filter").elements.state.querySelectorAll("[value=ended], [value=all]"))
        option.remove();
} else
    setInterval(() => document.hidden || attempt("summary", showSummary), SUMMARY_EVERY_MS);
for (const [selector, role] of [["#conflicts", "table"], ["#conflicts > thead, #conflicts > tbody", "rowgroup"], ["#conflicts > thead > tr", "row"]])
    for (const element of document.querySelectorAll(selector))
        element.setAttribute("role", role);
showAll();
