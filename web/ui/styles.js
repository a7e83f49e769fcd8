import { Directive, directive, noChange } from "../vendor/lit.js";

/**
 * Sets style properties of an element from data. The page's policy forbids style attributes, and what
 * would write one.
 */
class Styles extends Directive {
  /** @param {Record<string, string | number | null>} _properties */
  render(_properties) {
    return noChange;
  }

  /**
   * @param {any} part
   * @param {[Record<string, string | number | null>]} properties
   */
  update(part, [properties]) {
    for (const [name, value] of Object.entries(properties)) {
      if (value === null) part.element.style.removeProperty(name);
      else part.element.style.setProperty(name, String(value));
    }
    return noChange;
  }
}

/** Used as `<div ${styles({ "--x": 1 })}>`. */
export const styles = directive(Styles);
