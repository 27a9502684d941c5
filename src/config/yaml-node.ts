/** Owns the shape of YAML between its two readers (`yaml-plain.ts`, `yaml-guard.ts`) and `yaml.ts`, and the limits of both. */

export const MAX_NODES = 20_000;
/** Every value takes at most four of the counted lexemes. More lexemes than this mean more than `MAX_NODES` values. */
export const MAX_LEXEMES = MAX_NODES * 4;
export const MAX_DEPTH = 20;
export const TOO_MANY = `the file holds more than ${MAX_NODES} values`;
export const TOO_DEEP = `values are nested deeper than ${MAX_DEPTH} levels`;

/** The character that overwrites each character of a part that is reported already. */
export const MASK = "\ue000";

/** `offset` is the place of its first character in the text. */
export type YamlNode = YamlScalar | YamlMap | YamlList | { readonly kind: "alias"; readonly offset: number };

export interface YamlScalar {
  readonly kind: "scalar";
  readonly offset: number;
  readonly value: unknown;
  /** The text as written, without quotes. */
  readonly source: string;
  readonly isPlain: boolean;
}

export interface YamlMap {
  readonly kind: "map";
  readonly offset: number;
  readonly pairs: readonly YamlPair[];
}

export interface YamlList {
  readonly kind: "list";
  readonly offset: number;
  /** `[a: 1]` is a list of one map, which YAML keeps as a bare pair. */
  readonly items: readonly (YamlNode | YamlPair | null)[];
}

/** Null where nothing is written. */
export interface YamlPair {
  readonly kind: "pair";
  readonly key: YamlNode | null;
  readonly value: YamlNode | null;
}
