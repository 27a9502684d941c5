/** An editor on a nerve.yaml: what yaml-language-server, which most editors run, completes and finds wrong by the schema. */
import { getLanguageService, type LanguageService, TextDocument } from "yaml-language-server";
import { configSchema } from "../../scripts/kit/schema.ts";
import { SCHEMA_LINE } from "../../src/cli/kit/starter.ts";

const FOLDER = "file:///etc/nerve/";
const HEAD = `${SCHEMA_LINE}\n`;

/** Newer than what the package exports, by two methods that nothing here asks for. */
type Document = Parameters<LanguageService["doValidation"]>[0];

export interface YamlEditor {
  /** What is offered where `|` stands in `text`, each once. */
  completions(text: string): Promise<string[]>;
  /** `line:column message`, both from 1. */
  problems(text: string): Promise<string[]>;
}

/** The schema is found by the line that `nerve init` writes, and asked for by its place. */
export function yamlEditor(): YamlEditor {
  const schema = JSON.stringify(configSchema());
  const service = getLanguageService({
    schemaRequestService: (uri) =>
      uri === `${FOLDER}.nerve/nerve.schema.json` ? Promise.resolve(schema) : Promise.reject(`there is no ${uri}`),
    workspaceContext: { resolveRelativePath: (path, resource) => new URL(path, resource).href },
  });
  service.configure({ validate: true, completion: true });
  let opened = 0;
  const documentOf = (text: string): Document => {
    opened++;
    return TextDocument.create(`${FOLDER}nerve-${opened}.yaml`, "yaml", opened, HEAD + text) as Document;
  };
  return {
    async completions(text) {
      const at = text.indexOf("|");
      const document = documentOf(text.slice(0, at) + text.slice(at + 1));
      const { items } = await service.doComplete(document, document.positionAt(HEAD.length + at), false);
      return [...new Set(items.map(({ label }) => label))].sort();
    },
    async problems(text) {
      const found = await service.doValidation(documentOf(text), false);
      // The first line is not the test's.
      return found.map(({ range: { start }, message }) => `${start.line}:${start.character + 1} ${message}`).sort();
    },
  };
}
