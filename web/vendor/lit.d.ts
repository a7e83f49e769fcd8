// What we use of Lit (https://lit.dev), for the type checker.
export type TemplateResult = { readonly _template: unique symbol };
export declare const nothing: symbol;
export declare const noChange: symbol;
export declare function html(strings: TemplateStringsArray, ...values: unknown[]): TemplateResult;
export declare function svg(strings: TemplateStringsArray, ...values: unknown[]): TemplateResult;
export declare function render(value: unknown, container: HTMLElement | DocumentFragment, options?: { host?: object }): unknown;

export declare class LitElement extends HTMLElement {
  static properties: Record<string, object>;
  readonly updateComplete: Promise<boolean>;
  readonly hasUpdated: boolean;
  readonly isConnected: boolean;
  connectedCallback(): void;
  disconnectedCallback(): void;
  requestUpdate(name?: PropertyKey, oldValue?: unknown): void;
  protected createRenderRoot(): HTMLElement | DocumentFragment;
  protected scheduleUpdate(): void | Promise<unknown>;
  protected render(): unknown;
  protected shouldUpdate(changed: Map<PropertyKey, any>): boolean;
  protected willUpdate(changed: Map<PropertyKey, any>): void;
  protected update(changed: Map<PropertyKey, any>): void;
  protected firstUpdated(changed: Map<PropertyKey, any>): void;
  protected updated(changed: Map<PropertyKey, any>): void;
}

export declare class Directive {
  constructor(part?: unknown);
  render(...values: any[]): unknown;
  update(part: any, values: any[]): unknown;
}
export declare class AsyncDirective extends Directive {
  isConnected: boolean;
  setValue(value: unknown): void;
  protected disconnected(): void;
  protected reconnected(): void;
}
export declare function directive<C extends new (part: any) => { render(...values: any[]): unknown }>(
  constructor: C,
): (...values: Parameters<InstanceType<C>["render"]>) => unknown;
export declare function classMap(classes: Record<string, unknown>): unknown;
export declare function guard(dependencies: unknown, draw: () => unknown): unknown;
export declare function ifDefined<T>(value: T): T;
export declare function keyed(key: unknown, value: unknown): unknown;
export declare function live(value: unknown): unknown;
export interface Ref<T = HTMLElement> {
  readonly value?: T;
}
export declare function createRef<T = HTMLElement>(): Ref<T>;
export declare function ref(to: Ref<any> | ((element: Element | undefined) => void)): unknown;
export declare function repeat<T>(
  items: Iterable<T>,
  key: (item: T, index: number) => unknown,
  draw: (item: T, index: number) => unknown,
): unknown;
