/** How the page looks: in light and dark, wide and narrow. */
export const style = `
:root { color-scheme: light dark; --ground: #fbfaf7; --paper: #ffffff; --ink: #1d2126; --soft: #616a75; --line: #dcdad3;
  --belief: #2f6fb5; --on-belief: #ffffff; --bad: #c2262e; --bad-soft: rgba(214, 40, 48, .26); --good: #1d7f5c; --warn: #b26a00;
  --struck: rgba(178, 106, 0, .17); --h1: #f9dfdd; --h2: #f2b8b3; --h3: #e58a84; --h4: #d4574f; --on-h4: #ffffff; --calm: #e7f3ec; }
@media (prefers-color-scheme: dark) { :root { --ground: #14171b; --paper: #1b1f25; --ink: #e6e8eb; --soft: #9aa4b0; --line: #343b45;
  --belief: #4f94df; --on-belief: #0b1016; --bad: #ff6b6b; --bad-soft: rgba(255, 84, 84, .32); --good: #4cc298; --warn: #e5a13d;
  --struck: rgba(229, 161, 61, .2); --h1: #3a2426; --h2: #5a2b2d; --h3: #863538; --h4: #b8414a; --on-h4: #ffffff; --calm: #1c2d28; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 28px 24px 64px; max-width: 1320px; background: var(--ground); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", "Liberation Sans", Arial, sans-serif; }
h1 { font-size: 27px; line-height: 1.2; margin: 0 0 6px; } h2 { font-size: 20px; margin: 40px 0 10px; } h3 { font-size: 17px; margin: 0; }
p { margin: 6px 0; max-width: 78ch; } .soft, small { color: var(--soft); } a { color: inherit; }
code, pre { font: 13px/1.5 ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; }
.verdict { font-size: 17px; font-weight: 600; padding: 8px 14px; border-left: 5px solid var(--good); background: var(--paper); max-width: none; }
.verdict.broken { border-color: var(--bad); } .verdict.unsure { border-color: var(--warn); }
.scroll { overflow-x: auto; background: var(--paper); border: 1px solid var(--line); border-radius: 8px; }
table { border-collapse: separate; border-spacing: 0; font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { border-bottom: 1px solid var(--line); padding: 5px 5px; text-align: center; white-space: nowrap; }
tbody tr:last-child > * { border-bottom: 0; }
thead th { vertical-align: bottom; font-weight: 600; } thead th span { writing-mode: vertical-rl; transform: rotate(180deg); }
th[scope=row] { position: sticky; left: 0; background: var(--paper); text-align: left; font-weight: 600; border-right: 1px solid var(--line); }
tr.group > * { text-align: left; color: var(--soft); font-weight: 600; background: var(--paper); padding-top: 12px; }
td.none { color: var(--soft); } td.b0 { background: var(--calm); } td.b1 { background: var(--h1); } td.b2 { background: var(--h2); }
td.b3 { background: var(--h3); } td.b4 { background: var(--h4); color: var(--on-h4); }
td.story { box-shadow: inset 0 0 0 2px var(--ink); } td a { display: block; text-decoration: underline; text-underline-offset: 2px; }
article { margin: 16px 0; padding: 16px 18px; background: var(--paper); border: 1px solid var(--line); border-radius: 8px; }
article ul { margin: 8px 0; padding-left: 20px; } pre { overflow-x: auto; margin: 8px 0; padding: 9px 12px; background: var(--ground); border-radius: 6px; }
summary { cursor: pointer; color: var(--soft); } figure { margin: 12px 0 0; } figcaption { color: var(--soft); font-size: 13px; }
figure > div { overflow-x: auto; } .timeline { display: block; width: 100%; min-width: 760px; height: auto; }
.timeline text, .legend text { font: 11px system-ui, "Liberation Sans", Arial, sans-serif; fill: var(--ink); } .timeline .axis { text-anchor: middle; fill: var(--soft); }
.tick, .rule { stroke: var(--line); stroke-width: 1; } .tick { stroke-dasharray: 2 3; } .belief { fill: var(--belief); }
.timeline .fence { fill: var(--on-belief); pointer-events: none; } .overlap { fill: var(--bad-soft); stroke: var(--bad); stroke-width: 1; } .struck { fill: var(--struck); }
.mark { fill: var(--warn); } .violation { fill: var(--bad); } .update.done { fill: var(--good); } .update.lost { fill: var(--bad); } .update.busy { fill: var(--line); stroke: var(--soft); stroke-width: .5; }
.update.failed { fill: var(--warn); } .update.cut { fill: none; stroke: var(--soft); stroke-dasharray: 3 2; } .cross { stroke: var(--bad); stroke-width: 2.4; fill: none; }
.deed { fill: var(--soft); } .deed.add { fill: var(--good); } .deed.evict, .deed.flush, .deed.forget { fill: var(--bad); } .deed.expire { fill: var(--warn); }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; list-style: none; padding: 0; margin: 8px 0; font-size: 13px; }
.legend svg { width: 30px; height: 16px; vertical-align: -3px; margin-right: 5px; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 16px; } dt { font-weight: 600; } dd { margin: 0; }
#filter { font: inherit; color: inherit; background: var(--paper); border: 1px solid var(--line); border-radius: 6px; padding: 6px 10px; margin-top: 14px; width: min(100%, 320px); }
[hidden] { display: none !important; }
@media (max-width: 640px) { body { padding: 18px 12px 40px; } h1 { font-size: 22px; } article { padding: 12px; } th[scope=row] { white-space: normal; max-width: 124px; font-size: 12px; } dl { grid-template-columns: 1fr; } dd { margin-bottom: 6px; } }
@media print { .scroll, figure > div { overflow: visible; } article { break-inside: avoid; } }
`
