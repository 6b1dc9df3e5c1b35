/** How the pages look. */

/** One small style sheet; colours follow the system's light or dark. */
export const stylesheet = `
:root { color-scheme: light dark; --ink: #1a1f2b; --soft: #566074; --paper: #f6f7f9; --card: #fff; --line: #d9dee7; --accent: #4b3fd6; --on-accent: #fff; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #eceef4; --soft: #a5aec0; --paper: #12151c; --card: #1b202a; --line: #333b4a; --accent: #9d94ff; --on-accent: #12151c; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.6 system-ui, sans-serif; }
main { max-width: 38rem; margin: 0 auto; padding: clamp(1.5rem, 6vw, 4rem) 1.25rem; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .75rem; padding: 1.5rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .75rem; }
p { margin: 0 0 1rem; }
.soft { color: var(--soft); }
code, pre { font-family: ui-monospace, monospace; font-size: .92rem; }
pre, #api-key { display: block; background: var(--paper); border: 1px solid var(--line); border-radius: .5rem; padding: .85rem 1rem; margin: 0 0 1rem; overflow-x: auto; }
#api-key { overflow-wrap: anywhere; user-select: all; font-size: 1rem; }
button, .button { font: inherit; font-weight: 600; color: var(--on-accent); background: var(--accent); border: 0; border-radius: .5rem; padding: .7rem 1.2rem; cursor: pointer; text-decoration: none; display: inline-block; }
a { color: var(--accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
`;
