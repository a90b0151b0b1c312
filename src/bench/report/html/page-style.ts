/** The page's own look: nothing is fetched, and both light and dark are meant. */
export const PAGE_STYLE = `
:root {
  color-scheme: light dark;
  --paper: #fdfcfa; --ink: #1d2126; --faint: #5d6670; --rule: #d9d6d0; --card: #ffffff;
  --accent: #0b6e99; --hot: #b3361b; --cool: #e4efe6; --on-hot: #ffffff;
  --driver-0: #1f6fb4; --driver-1: #c4572e; --driver-2: #2f8a4c; --driver-3: #8a4fb0;
  --driver-4: #b8860b; --driver-5: #0f8b8d; --driver-6: #b33a6b; --driver-7: #6b7280;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14171a; --ink: #e8e6e1; --faint: #9aa3ad; --rule: #343a41; --card: #1b1f24;
    --accent: #6cc1e8; --hot: #e2643f; --cool: #22352b; --on-hot: #14171a;
    --driver-0: #6db1ef; --driver-1: #f08a5d; --driver-2: #6fcf8a; --driver-3: #c59be6;
    --driver-4: #e3b84a; --driver-5: #5fd0d2; --driver-6: #ee8ab4; --driver-7: #a5adb8;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); line-height: 1.5;
  font-family: system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; font-size: 16px; }
main { max-width: 960px; margin: 0 auto; padding: 24px 16px 64px; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 4px; }
h2 { margin: 48px 0 8px; padding-top: 12px; border-top: 1px solid var(--rule); font-size: 1.35rem; }
h3 { margin: 24px 0 4px; font-size: 1rem; }
p { margin: 6px 0 12px; }
.faint { color: var(--faint); font-size: 0.9rem; }
.verdicts { display: grid; gap: 12px; grid-template-columns: repeat(auto-fit, minmax(280px, 1fr));
  padding: 0; list-style: none; margin: 20px 0; }
.verdicts > li { background: var(--card); border: 1px solid var(--rule); border-radius: 8px;
  padding: 12px 14px; }
.verdicts strong { display: block; }
.verdicts ul { margin: 6px 0 0; padding-left: 18px; color: var(--faint); font-size: 0.82rem; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; padding: 8px 0; margin: 0; list-style: none;
  position: sticky; top: 0; background: var(--paper); z-index: 1; font-size: 0.9rem; }
.legend i { display: inline-block; width: 12px; height: 12px; border-radius: 3px; margin-right: 6px; }
figure { margin: 20px 0; }
figcaption { color: var(--faint); font-size: 0.9rem; margin-top: 4px; }
figure svg { display: block; width: 100%; height: auto; }
.narrow { display: none; }
.many { display: grid; grid-template-columns: repeat(auto-fit, minmax(300px, 1fr)); gap: 12px 24px; }
.many figure { margin: 8px 0; }
.many h3 { margin-top: 8px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.82rem; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: 3px 10px; border-bottom: 1px solid var(--rule); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; position: sticky; left: 0; background: var(--paper); }
td.best { font-weight: 700; color: var(--accent); }
td small { color: var(--faint); font-weight: 400; }
summary { cursor: pointer; color: var(--accent); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 16px; font-size: 0.9rem; }
dt { color: var(--faint); } dd { margin: 0; overflow-wrap: anywhere; }
@media (max-width: 600px) {
  .wide { display: none; } .narrow { display: block; }
  dl { grid-template-columns: 1fr; } dd { margin-bottom: 8px; }
  h1 { font-size: 1.5rem; }
}
`;
