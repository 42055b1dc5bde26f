/** How much of this machine its owner lends, and when not. The browser remembers it, for every run of this site. */

import { element, write } from "./dom";

export interface Terms {
  /** Percent of the time. */
  power: number;
  /** Pause while the machine runs on its battery? */
  battery: boolean;
  /** Pause while the tab is hidden? */
  hidden: boolean;
}

/** What the machine is up to. */
export interface Surroundings {
  onBattery: boolean;
  hidden: boolean;
}

const KEY = "webnn:lending";
const FRESH: Terms = { power: 100, battery: false, hidden: false };

/** What was chosen before; as new where storage is forbidden or holds nonsense. */
export function recalledTerms(): Terms {
  try {
    const { power, battery, hidden } = JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Terms>;
    const bearable = typeof power === "number" && power >= 1 && power <= 100;
    return bearable ? { power, battery: battery === true, hidden: hidden === true } : FRESH;
  } catch {
    return FRESH;
  }
}

/** Why training holds under these terms, in words; null: it need not. */
export function reasonToHold({ battery, hidden }: Terms, around: Surroundings): string | null {
  if (battery && around.onBattery) return "Paused while your machine runs on its battery. It goes on by itself.";
  if (hidden && around.hidden) return "Paused while this tab is hidden. It goes on by itself.";
  return null;
}

/** Chromium has it; others tell pages nothing of batteries. */
interface Battery extends EventTarget {
  readonly charging: boolean;
}

export class Lending {
  private terms = recalledTerms();
  private readonly around: Surroundings = { onBattery: false, hidden: document.hidden };

  /** Takes over the page's controls. `onChange` is called whenever the power or the reason to hold may have changed. */
  constructor(private readonly onChange: () => void) {
    const slider = element("power") as HTMLInputElement;
    slider.value = String(this.terms.power);
    slider.addEventListener("input", () => this.choose({ power: Number(slider.value) }));
    this.choice("on-battery", "battery");
    this.choice("while-hidden", "hidden");
    document.addEventListener("visibilitychange", () => this.notice({ hidden: document.hidden }));
    write("power-value", `${this.terms.power} %`);
    void this.watchBattery().catch(() => undefined);
  }

  get power(): number {
    return this.terms.power;
  }

  /** Why training is to hold; null: it need not. */
  get reason(): string | null {
    return reasonToHold(this.terms, this.around);
  }

  /** Nothing more is lent: there is nothing to choose. */
  end(): void {
    for (const id of ["power", "on-battery", "while-hidden"]) (element(id) as HTMLInputElement).disabled = true;
  }

  private choice(id: string, name: "battery" | "hidden"): void {
    const box = element(id) as HTMLInputElement;
    box.checked = this.terms[name];
    box.addEventListener("change", () => this.choose({ [name]: box.checked }));
  }

  private choose(change: Partial<Terms>): void {
    this.terms = { ...this.terms, ...change };
    write("power-value", `${this.terms.power} %`);
    try {
      localStorage.setItem(KEY, JSON.stringify(this.terms));
    } catch {
      // Forbidden or full: the next visit begins as new.
    }
    this.onChange();
  }

  private notice(change: Partial<Surroundings>): void {
    Object.assign(this.around, change);
    this.onChange();
  }

  private async watchBattery(): Promise<void> {
    const battery = await (navigator as { getBattery?(): Promise<Battery> }).getBattery?.();
    if (!battery) return;
    element("battery-choice").hidden = false;
    const look = () => this.notice({ onBattery: !battery.charging });
    battery.addEventListener("chargingchange", look);
    look();
  }
}
