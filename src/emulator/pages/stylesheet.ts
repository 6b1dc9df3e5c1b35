/** How the hosted pages look: one style sheet, light and dark, phone and desktop. */

/** Colours are named by their job, so that the dark scheme is a list of values. */
export const stylesheet = `
:root {
  color-scheme: light dark;
  --page: #f4f5f8; --card: #ffffff; --side: #eceef4; --ink: #191d29; --soft: #5a6376; --line: #d5dae5;
  --accent: #4f46e5; --accent-deep: #4338ca; --on-accent: #ffffff; --wash: #eef0ff;
  --good: #0f7a4f; --good-wash: #e3f6ec; --warn: #8f5300; --warn-wash: #fdf1dc; --bad: #b3261e; --bad-wash: #fdeceb;
  --shadow: 0 1px 2px rgb(16 24 40 / .06), 0 8px 24px rgb(16 24 40 / .07);
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0f1218; --card: #181c25; --side: #141821; --ink: #eceef5; --soft: #a3acbf; --line: #323a4a;
    --accent: #a5a0ff; --accent-deep: #bdb9ff; --on-accent: #14121f; --wash: #23243d;
    --good: #6ddba6; --good-wash: #123022; --warn: #f3c173; --warn-wash: #33260f; --bad: #ff9d95; --bad-wash: #3a1917;
    --shadow: none;
  }
}
*, *::before { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; -webkit-text-size-adjust: 100%; }
main { max-width: 60rem; margin: 0 auto; padding: clamp(1rem, 4vw, 3.5rem) clamp(1rem, 4vw, 2rem) 2rem; }
main.narrow { max-width: 44rem; }
h1 { font-size: 1.35rem; line-height: 1.3; margin: 0 0 .25rem; letter-spacing: -.01em; }
h2 { font-size: 1.05rem; line-height: 1.35; margin: 0 0 .9rem; }
p { margin: 0 0 .75rem; }
a { color: var(--accent); text-underline-offset: .2em; }
.soft { color: var(--soft); }
.small { font-size: .875rem; }
.badge { display: inline-flex; align-items: center; gap: .45rem; margin: 0 0 1.25rem; padding: .2rem .7rem; border-radius: 99rem; background: var(--warn-wash); color: var(--warn); font-size: .8125rem; font-weight: 600; }
.badge::before { content: ""; width: .5rem; height: .5rem; border-radius: 50%; background: currentColor; }
.card > :last-child { margin-bottom: 0; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 1rem; box-shadow: var(--shadow); padding: clamp(1.25rem, 4vw, 2rem); margin: 0 0 1.25rem; }
.columns { display: grid; gap: clamp(1.25rem, 4vw, 3rem); grid-template-columns: minmax(0, 1fr); }
@media (min-width: 52rem) { .columns { grid-template-columns: minmax(0, 5fr) minmax(0, 6fr); align-items: start; } }
.amount { font-size: clamp(2rem, 6vw, 2.6rem); font-weight: 650; letter-spacing: -.03em; line-height: 1.15; margin: .35rem 0 .1rem; font-variant-numeric: tabular-nums; }
.item { display: flex; justify-content: space-between; gap: 1rem; padding: 1rem 0; border-top: 1px solid var(--line); }
.item > :last-child { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.item p { margin: 0; }
.item + p { margin-top: -.75rem; }
.name { font-weight: 600; }
.plan { margin: 0 0 1rem; }
.plan p { margin: 0; }
.total { font-weight: 650; }
table { width: 100%; border-collapse: collapse; margin: .25rem 0 1rem; font-size: .9375rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--soft); font-size: .875rem; padding: 0 0 .4rem; }
th, td { text-align: left; padding: .5rem .5rem .5rem 0; border-top: 1px solid var(--line); vertical-align: top; }
th { font-weight: 600; color: var(--soft); font-size: .8125rem; }
td:last-child, th:last-child { text-align: right; padding-right: 0; }
.scroll { overflow-x: auto; }
label, legend, .label { display: block; font-weight: 600; font-size: .875rem; margin: 0 0 .35rem; padding: 0; }
input[type="email"], input[type="text"] { width: 100%; font: inherit; color: inherit; background: var(--card); border: 1px solid color-mix(in srgb, var(--soft) 75%, transparent); border-radius: .6rem; padding: .65rem .8rem; margin: 0 0 1.1rem; }
input::placeholder { color: var(--soft); opacity: 1; }
input[readonly] { background: var(--side); color: var(--soft); }
input[aria-invalid="true"] { border-color: var(--bad); }
fieldset { border: 0; margin: 0 0 1.25rem; padding: 0; min-width: 0; }
.choice { display: grid; grid-template-columns: auto minmax(0, 1fr) auto; gap: 0 .75rem; align-items: center; padding: .65rem .85rem; border: 1px solid var(--line); border-top-width: 0; cursor: pointer; font-weight: 400; font-size: .9375rem; margin: 0; background: var(--card); }
.choice:first-of-type { border-top-width: 1px; border-radius: .6rem .6rem 0 0; }
.choice:last-of-type { border-radius: 0 0 .6rem .6rem; }
.choice:has(input:checked) { background: var(--wash); }
.choice input { accent-color: var(--accent); width: 1.05rem; height: 1.05rem; margin: 0; }
.choice .digits { font-variant-numeric: tabular-nums; }
.choice .story { grid-column: 2 / -1; color: var(--soft); font-size: .8125rem; }
.pill { border-radius: 99rem; padding: .1rem .6rem; font-size: .75rem; font-weight: 600; white-space: nowrap; background: var(--side); color: var(--soft); }
.pill.good { background: var(--good-wash); color: var(--good); }
.pill.warn { background: var(--warn-wash); color: var(--warn); }
.pill.bad { background: var(--bad-wash); color: var(--bad); }
.alert { border-radius: .6rem; padding: .75rem 1rem; margin: 0 0 1.25rem; background: var(--bad-wash); color: var(--bad); font-weight: 600; }
.alert.good { background: var(--good-wash); color: var(--good); }
button, .button { display: inline-block; font: inherit; font-weight: 600; text-align: center; text-decoration: none; color: var(--on-accent); background: var(--accent); border: 1px solid transparent; border-radius: .6rem; padding: .7rem 1.25rem; cursor: pointer; }
button:hover, .button:hover { background: var(--accent-deep); }
button.wide { width: 100%; padding: .85rem 1.25rem; font-size: 1.0625rem; }
button.quiet, .button.quiet { color: var(--ink); background: transparent; border-color: var(--line); }
button.quiet:hover, .button.quiet:hover { background: var(--side); }
.actions { display: flex; flex-wrap: wrap; gap: .75rem; align-items: center; margin: 1rem 0 0; }
.actions form { margin: 0; }
.head { display: flex; flex-wrap: wrap; justify-content: space-between; gap: .5rem 1rem; align-items: baseline; }
details > summary { cursor: pointer; color: var(--accent); font-weight: 600; }
details[open] > summary { margin: 0 0 1rem; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
`;
