/** The watcher's charts as one picture, in the colours of the page. */

import type { Bar } from "./summary";

export interface Panel {
  title: string;
  /** What is to be drawn: a chart of `PANEL_CHART`'s size, bars, or names and their figures. Null: nothing yet. */
  chart: HTMLCanvasElement | Bar[] | Facts | null;
}

export interface Facts {
  facts: readonly (readonly [name: string, figure: string])[];
}

const WIDTH = 1600;
const MARGIN = 48;
const GAP = 28;
const HEAD = 120;
const PANEL_HEIGHT = 380;
const TITLE_HEIGHT = 56;
const PADDING = 28;
/** Of a chart in a panel. */
export const PANEL_CHART = { width: (WIDTH - 2 * MARGIN - GAP) / 2 - PADDING, height: PANEL_HEIGHT - TITLE_HEIGHT - PADDING / 2 };
const FAMILY = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif";

/** Draws the panels in two columns under a title and a line about the run. */
export function drawPicture(title: string, line: string, panels: readonly Panel[]): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  const rows = Math.ceil(panels.length / 2);
  canvas.width = WIDTH;
  canvas.height = MARGIN + HEAD + rows * (PANEL_HEIGHT + GAP) - GAP + MARGIN;
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const ctx = canvas.getContext("2d")!;
  ctx.fillStyle = colour("--page");
  ctx.fillRect(0, 0, canvas.width, canvas.height);
  write(ctx, title, { x: MARGIN, y: MARGIN + 40, font: `650 44px ${FAMILY}`, colour: colour("--text") });
  write(ctx, line, { x: MARGIN, y: MARGIN + 86, font: `24px ${FAMILY}`, colour: colour("--soft") });
  const width = (WIDTH - 2 * MARGIN - GAP) / 2;
  panels.forEach((panel, i) => {
    const [x, y] = [MARGIN + (i % 2) * (width + GAP), MARGIN + HEAD + Math.floor(i / 2) * (PANEL_HEIGHT + GAP)];
    drawPanel(ctx, panel, { x, y, width, height: PANEL_HEIGHT }, colour);
  });
  return canvas;
}

interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

type Colour = (name: string) => string;

function drawPanel(ctx: CanvasRenderingContext2D, { title, chart }: Panel, box: Box, colour: Colour): void {
  ctx.beginPath();
  ctx.roundRect(box.x, box.y, box.width, box.height, 18);
  ctx.fillStyle = colour("--card");
  ctx.fill();
  ctx.strokeStyle = colour("--line");
  ctx.lineWidth = 2;
  ctx.stroke();
  write(ctx, title, { x: box.x + PADDING, y: box.y + 42, font: `650 24px ${FAMILY}`, colour: colour("--text") });
  const within = { x: box.x + PADDING / 2, y: box.y + TITLE_HEIGHT, ...PANEL_CHART };
  if (chart instanceof HTMLCanvasElement) ctx.drawImage(chart, within.x, within.y, within.width, within.height);
  else if (chart && "facts" in chart) drawFacts(ctx, chart, within, colour);
  else if (chart && chart.length > 0) drawBars(ctx, chart, within, colour);
  else write(ctx, "Nothing yet", { x: within.x + PADDING, y: within.y + 60, font: `22px ${FAMILY}`, colour: colour("--soft") });
}

function drawBars(ctx: CanvasRenderingContext2D, bars: readonly Bar[], box: Box, colour: Colour): void {
  const most = Math.max(1, ...bars.map(({ updates }) => updates));
  const step = (box.width - PADDING) / bars.length;
  const [floor, room] = [box.y + box.height - 36, box.height - 76];
  bars.forEach(({ label, updates }, i) => {
    const [x, height] = [box.x + PADDING / 2 + i * step, Math.max(2, (room * updates) / most)];
    ctx.beginPath();
    ctx.roundRect(x + step * 0.06, floor - height, step * 0.88, height, [8, 8, 0, 0]);
    ctx.fillStyle = colour("--accent");
    ctx.fill();
    const text = { x: x + step / 2, font: `18px ${FAMILY}`, colour: colour("--soft"), align: "center" as const };
    write(ctx, label, { ...text, y: floor + 26 });
    if (updates > 0) write(ctx, updates.toLocaleString("en"), { ...text, y: floor - height - 10 });
  });
}

function drawFacts(ctx: CanvasRenderingContext2D, { facts }: Facts, box: Box, colour: Colour): void {
  const step = (box.height - PADDING) / facts.length;
  facts.forEach(([name, figure], i) => {
    const y = box.y + (i + 0.62) * step;
    write(ctx, name, { x: box.x + PADDING / 2, y, font: `22px ${FAMILY}`, colour: colour("--soft") });
    write(ctx, figure, { x: box.x + box.width - PADDING / 2, y, font: `600 22px ${FAMILY}`, colour: colour("--text"), align: "right" });
  });
}

interface Text {
  x: number;
  y: number;
  font: string;
  colour: string;
  align?: CanvasTextAlign;
}

function write(ctx: CanvasRenderingContext2D, text: string, { x, y, font, colour, align = "left" }: Text): void {
  ctx.font = font;
  ctx.fillStyle = colour;
  ctx.textAlign = align;
  ctx.fillText(text, x, y, WIDTH - 2 * MARGIN);
}

/** Offers a file to whoever looks at the page. */
export function save(name: string, content: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  // Not at once, or some browsers find nothing there any more.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
