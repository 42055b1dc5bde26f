/** A pad to draw on, with mouse, finger, pen or keys, or to drop a picture onto; and what the model sees of it. */

import { make } from "./dom";
import { looksInverted, paintStrokes, penWidth, UNMOVED, usualPlacing, valuesOf, type Content, type Placing, type Point, type Stroke } from "./ink";
import type { Picture } from "./kinds";
import { leisure } from "./leisure";

import "./pad.css";

export interface Pad {
  /** What the model gets; null while the pad is empty. */
  values(): Float32Array | null;
  clear(): void;
  /** Pictures that people have dropped, pasted or chosen; if this is given, they do not come onto the pad. */
  onFiles: ((files: File[]) => void) | null;
}

const KEYS_HELP = "With the keyboard: arrow keys move the pen, Space puts it down and lifts it, Delete clears.";
/** A step of the pen by keys, in pads. */
const STEP = 1 / 24;
const SIDE = 560;
const MOVES: Record<string, Point> = {
  ArrowLeft: { x: -STEP, y: 0 },
  ArrowRight: { x: STEP, y: 0 },
  ArrowUp: { x: 0, y: -STEP },
  ArrowDown: { x: 0, y: STEP },
};
const PLACINGS: Record<Placing, string> = { mnist: "In the middle, with a margin", fill: "From edge to edge", drawn: "Where it is drawn" };

/** A pad in `host`; `onChange` is called after what is on it has changed. */
export function createPad(host: HTMLElement, picture: Picture, onChange: () => void): Pad {
  return new DrawingPad(host, picture, onChange);
}

/** Pictures as they come from people. @throws Error that says so of a file that is none */
export async function pictureOf(file: Blob & { name?: string }): Promise<ImageBitmap> {
  return createImageBitmap(file).catch(() => {
    throw new Error(`${file.name ? `“${file.name}”` : "This"} is no picture that this browser can read.`);
  });
}

class DrawingPad implements Pad {
  onFiles: Pad["onFiles"] = null;
  private content: Content & { strokes: Stroke[] };
  private seen: Float32Array | null = null;
  private pen: { at: Point; down: boolean } = { at: { x: 0.5, y: 0.5 }, down: false };
  private due = 0;
  private readonly paper: HTMLCanvasElement;
  private readonly preview: HTMLCanvasElement;
  private readonly invert: HTMLInputElement;
  private readonly told: HTMLElement;

  constructor(
    host: HTMLElement,
    private readonly picture: Picture,
    private readonly onChange: () => void,
  ) {
    const { width, height, name } = picture;
    this.content = { strokes: [], picture: null, inverted: false, placing: usualPlacing(picture) };
    const longer = Math.max(width, height);
    const size = { width: Math.round((SIDE * width) / longer), height: Math.round((SIDE * height) / longer) };
    this.paper = make("canvas", { ...size, className: "paper", tabIndex: 0, title: KEYS_HELP });
    this.paper.setAttribute("role", "application");
    this.paper.setAttribute("aria-label", `Drawing pad for ${name}. ${KEYS_HELP}`);
    this.preview = make("canvas", { width, height, className: "seen" });
    this.preview.setAttribute("role", "img");
    this.preview.setAttribute("aria-label", "What the model sees");
    this.invert = make("input", { type: "checkbox" });
    this.told = make("p", { className: "note" });
    this.told.setAttribute("role", "status");
    host.append(make("div", { className: "pad" }, [this.paper, this.side()]), this.told);
    this.listen(host);
    // Not at once: the first canvas of a page takes a slow phone a while.
    void leisure().then(() => this.paint());
  }

  values(): Float32Array | null {
    return this.seen;
  }

  clear(): void {
    this.content.strokes = [];
    this.content.picture?.close();
    this.content.picture = null;
    this.pen.down = false;
    this.told.textContent = "";
    this.changed();
  }

  private side(): HTMLElement {
    const clear = make("button", { type: "button", className: "small", textContent: "Clear" });
    clear.addEventListener("click", () => this.clear());
    const choose = make("input", { type: "file", accept: "image/*", multiple: true });
    choose.addEventListener("change", () => {
      void this.take([...(choose.files ?? [])]);
      choose.value = "";
    });
    const seen = make("figure", {}, [this.preview, make("figcaption", { className: "note", textContent: "What the model sees" })]);
    const parts = [seen, clear, make("label", { className: "small file", textContent: "Choose a picture" }, [choose])];
    return make("div", { className: "pad-side" }, this.picture.channels === 1 ? [...parts, ...this.settings()] : parts);
  }

  private settings(): HTMLElement[] {
    const options = Object.entries(PLACINGS).map(([value, text]) => make("option", { value, textContent: text }));
    const place = make("select", {}, options);
    place.value = this.content.placing;
    place.addEventListener("change", () => {
      this.content.placing = place.value as Placing;
      this.changed();
    });
    this.invert.addEventListener("change", () => {
      this.content.inverted = this.invert.checked;
      this.changed();
    });
    const inverting = make("label", { className: "check", hidden: true }, [this.invert, make("span", { textContent: "Dark is ink" })]);
    return [make("label", { className: "field" }, [make("span", { className: "note", textContent: "Placing" }), place]), inverting];
  }

  private listen(host: HTMLElement): void {
    const { paper } = this;
    paper.addEventListener("pointerdown", (event) => this.begin(event));
    paper.addEventListener("pointermove", (event) => this.go(event));
    paper.addEventListener("keydown", (event) => this.key(event));
    for (const type of ["focus", "blur"]) paper.addEventListener(type, () => this.paint());
    host.addEventListener("dragover", (event) => event.preventDefault());
    host.addEventListener("drop", (event) => {
      event.preventDefault();
      void this.take([...(event.dataTransfer?.files ?? [])]);
    });
    host.addEventListener("paste", (event) => void this.take([...(event.clipboardData?.files ?? [])]));
  }

  private async take(files: File[]): Promise<void> {
    if (files.length === 0) return;
    if (this.onFiles) return this.onFiles(files);
    try {
      const picture = await pictureOf(files[0]!);
      this.clear();
      this.content.picture = picture;
      this.content.inverted = this.invert.checked = looksInverted(picture);
      this.changed();
    } catch (error) {
      this.told.textContent = (error as Error).message;
    }
  }

  private begin(event: PointerEvent): void {
    if (event.button !== 0) return;
    this.paper.setPointerCapture(event.pointerId);
    this.startStroke(this.pointOf(event));
  }

  private go(event: PointerEvent): void {
    if (!this.paper.hasPointerCapture(event.pointerId)) return;
    // What came between two frames is part of the line.
    const events = event.getCoalescedEvents();
    this.content.strokes.at(-1)!.push(...(events.length > 0 ? events : [event]).map((one) => this.pointOf(one)));
    this.changed();
  }

  private startStroke(at: Point): void {
    if (this.content.picture) this.clear();
    this.content.strokes.push([at]);
    this.changed();
  }

  private pointOf({ clientX, clientY }: { clientX: number; clientY: number }): Point {
    const { left, top, width, height } = this.paper.getBoundingClientRect();
    return { x: (clientX - left) / width, y: (clientY - top) / height };
  }

  private key(event: KeyboardEvent): void {
    const move = MOVES[event.key];
    if (event.key === "Delete" || event.key === "Backspace") this.clear();
    else if (event.key === " " || event.key === "Enter") this.turnPen();
    else if (move) this.movePen(move);
    else return;
    event.preventDefault();
  }

  private turnPen(): void {
    this.pen.down = !this.pen.down;
    this.told.textContent = this.pen.down ? "The pen is down." : "The pen is up.";
    if (this.pen.down) this.startStroke(this.pen.at);
    else this.paint();
  }

  private movePen({ x, y }: Point): void {
    const within = (value: number) => Math.min(Math.max(value, 0), 1);
    this.pen.at = { x: within(this.pen.at.x + x), y: within(this.pen.at.y + y) };
    if (this.pen.down) this.content.strokes.at(-1)?.push(this.pen.at);
    this.changed();
  }

  /** Once a frame, however often the pen moves. */
  private changed(): void {
    if (this.due) return;
    this.due = requestAnimationFrame(() => {
      this.due = 0;
      this.seen = valuesOf(this.content, this.picture);
      this.invert.parentElement?.toggleAttribute("hidden", this.content.picture === null);
      this.paint();
      this.onChange();
    });
  }

  private paint(): void {
    this.paintPaper();
    paintValues(this.preview, this.seen, this.picture);
  }

  private paintPaper(): void {
    const { paper, content, pen } = this;
    const context = paper.getContext("2d")!;
    const colour = getComputedStyle(paper).color;
    context.clearRect(0, 0, paper.width, paper.height);
    if (content.picture) paintContained(context, content.picture, paper);
    const width = penWidth(content.placing) * Math.min(paper.width, paper.height) * 0.8;
    paintStrokes(context, content.strokes, UNMOVED, width, paper, colour);
    if (paper.matches(":focus-visible")) paintPen(context, pen, paper, getComputedStyle(paper).getPropertyValue("--accent"));
  }
}

function paintContained(context: CanvasRenderingContext2D, picture: ImageBitmap, { width, height }: HTMLCanvasElement): void {
  const scale = Math.min(width / picture.width, height / picture.height);
  const [wide, high] = [scale * picture.width, scale * picture.height];
  context.drawImage(picture, (width - wide) / 2, (height - high) / 2, wide, high);
}

function paintPen(context: CanvasRenderingContext2D, { at, down }: { at: Point; down: boolean }, { width, height }: HTMLCanvasElement, colour: string): void {
  Object.assign(context, { lineWidth: 5, strokeStyle: colour, fillStyle: colour });
  context.beginPath();
  context.arc(at.x * width, at.y * height, 14, 0, 2 * Math.PI);
  context.stroke();
  if (down) context.fill();
}

/** Shows values of a picture's tensor, black to white, on a canvas of its size. */
export function paintValues(canvas: HTMLCanvasElement, values: Float32Array | null, { width, height, channels, scale }: Picture): void {
  const context = canvas.getContext("2d")!;
  const image = context.createImageData(width, height);
  for (let i = 0; i < width * height; i++) {
    for (let colour = 0; colour < 3; colour++) {
      const value = values?.[i * channels + (channels === 3 ? colour : 0)] ?? scale.low;
      image.data[4 * i + colour] = (255 * (value - scale.low)) / (scale.high - scale.low);
    }
    image.data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}
