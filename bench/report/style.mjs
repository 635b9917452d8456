/** The report's style sheet, for light and dark. */
export const style = `
:root {
  color-scheme: light dark;
  --page: #ffffff; --panel: #f6f7f9; --ink: #1c2430; --soft: #5b6675; --rule: #dfe3e8;
  --blue: #1f6fd6; --orange: #c9620a; --green: #12835a; --purple: #8b3fc4; --red: #c8304a; --grey: #7a8593;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14181f; --panel: #1c222b; --ink: #e8ecf1; --soft: #a2adba; --rule: #323b47;
    --blue: #6aaeff; --orange: #ffa04d; --green: #4fce9c; --purple: #cd96f7; --red: #ff7b8d; --grey: #93a0af;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 32px 24px 64px; }
h1 { font-size: 28px; margin: 0 0 4px; }
h2 { font-size: 20px; margin: 44px 0 4px; }
p { margin: 4px 0 14px; max-width: 78ch; color: var(--soft); }
svg { display: block; width: 100%; height: auto; font: 13px system-ui, sans-serif; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(420px, 1fr)); gap: 20px 28px; align-items: start; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(230px, 1fr)); gap: 14px; margin: 24px 0 0; }
.tile { background: var(--panel); border: 1px solid var(--rule); border-radius: 8px; padding: 14px 16px; }
.tile b { display: block; font-size: 25px; line-height: 1.25; }
.tile span { color: var(--soft); font-size: 13.5px; }
.note { border-left: 3px solid var(--red); padding: 2px 12px; color: var(--ink); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 13.5px; font-variant-numeric: tabular-nums; width: 100%; }
th, td { text-align: right; padding: 4px 10px; white-space: nowrap; }
th { color: var(--soft); font-weight: 600; border-bottom: 1px solid var(--rule); }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
tr.first td { border-top: 1px solid var(--rule); }
svg text { fill: var(--ink); }
svg .heading { font-weight: 600; font-size: 14px; }
svg .tick, svg .axis { fill: var(--soft); font-size: 12px; }
svg .number { font-variant-numeric: tabular-nums; font-size: 12.5px; }
svg .middle { text-anchor: middle; }
svg .end { text-anchor: end; }
svg .grid { stroke: var(--rule); stroke-width: 1; }
svg .leader { stroke: var(--grey); stroke-width: 0.8; opacity: 0.7; }
svg .range { stroke-width: 2; opacity: 0.45; stroke: var(--hue); }
svg .series { fill: none; stroke: var(--hue); stroke-width: 2.2; stroke-linejoin: round; }
svg .dashed { stroke-dasharray: 6 4; }
svg .dot { fill: var(--hue); stroke: var(--page); stroke-width: 1.5; }
svg .hollow { fill: var(--page); stroke: var(--hue); stroke-width: 2; }
svg .mark { fill: var(--hue); stroke: var(--page); stroke-width: 1.2; }
svg .bar { fill: var(--hue); }
svg .pale { opacity: 0.6; }
svg .label { fill: var(--hue); font-weight: 500; }
.blue { --hue: var(--blue); } .orange { --hue: var(--orange); } .green { --hue: var(--green); }
.purple { --hue: var(--purple); } .red { --hue: var(--red); } .grey { --hue: var(--grey); } .ink { --hue: var(--ink); }
`;
