/** Draws the table of usage by day as a chart above it. Without this script the table says the same. */

/* global uPlot: the chart library, which is loaded before */

const table = document.getElementById('usage-days');
const place = document.getElementById('usage-chart');

/** The table as uPlot wants it, oldest first: the days in seconds, and the units of each. */
function readTable() {
  const rows = [...table.tBodies[0].rows].reverse();
  return [rows.map((row) => Number(row.dataset.day)), rows.map((row) => Number(row.dataset.units))];
}

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** Days are UTC days wherever the reader is. */
function dayText(seconds, options) {
  return new Intl.DateTimeFormat('en-GB', { ...options, timeZone: 'UTC' }).format(seconds * 1000);
}

function axis(more) {
  return {
    stroke: colour('--soft'),
    font: '12px system-ui, sans-serif',
    ticks: { show: false },
    ...more,
  };
}

function optionsOf([days]) {
  const compact = new Intl.NumberFormat('en-GB', { notation: 'compact' });
  return {
    width: place.clientWidth,
    height: place.clientHeight,
    padding: [12, 8, 0, 0],
    legend: { show: false },
    cursor: { show: false },
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC'),
    scales: {
      // Half a day of room on both sides, so that the first and the last bar are whole.
      x: { range: () => [days[0] - 43_200, days.at(-1) + 43_200] },
      y: { range: (_chart, _min, max) => [0, Math.max(4, max * 1.1)] },
    },
    axes: [
      axis({
        grid: { show: false },
        incrs: [1, 2, 5, 7, 14, 28, 56, 91, 182].map((count) => count * 86_400),
        space: 64,
        size: 28,
        values: (_chart, splits) =>
          splits.map((at) => (days.includes(at) ? dayText(at, { day: 'numeric', month: 'short' }) : '')),
      }),
      axis({
        grid: { stroke: colour('--line'), width: 1 },
        incrs: [1, 2, 5, 10, 20, 50].concat(
          [...Array(12)].flatMap((_, power) => [1, 2, 5].map((step) => step * 10 ** (power + 2))),
        ),
        space: 40,
        size: 52,
        values: (_chart, splits) => splits.map((units) => compact.format(units)),
      }),
    ],
    series: [
      {},
      {
        fill: colour('--accent'),
        width: 0,
        points: { show: false },
        paths: uPlot.paths.bars({ size: [0.7, 36], radius: 0.2 }),
      },
    ],
  };
}

function draw() {
  const data = readTable();
  place.replaceChildren();
  return new uPlot(optionsOf(data), data, place);
}

place.hidden = false;
table.closest('details').open = false;
let chart = draw();
new ResizeObserver(() => chart.setSize({ width: place.clientWidth, height: place.clientHeight })).observe(
  place,
);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  chart.destroy();
  chart = draw();
});
