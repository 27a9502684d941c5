/** `nerve/payload`: what payloads look like, declared for `nerve check` without the 100 ms that ArkType costs a worker. */
export { type Declaration, type Definition, declaration } from "../model/declaration.ts";
