/** An editor on a folder: the language service of TypeScript 5, which editors run, by the tsconfig.json of the folder. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";

export interface TypeScriptEditor {
  /** Puts `text` into an open file; saves nothing. */
  type(path: string, text: string): void;
  /** `line: message` of a file, with all that is said of it. */
  problems(path: string): string[];
  /** What is offered after the first `after` in the file. */
  completions(path: string, after: string): string[];
}

export function typescriptEditor(folder: string): TypeScriptEditor {
  const parsed = ts.getParsedCommandLineOfConfigFile(join(folder, "tsconfig.json"), {}, {
    ...ts.sys,
    onUnRecoverableConfigFileDiagnostic: ({ messageText }) => {
      throw new Error(String(messageText));
    },
  } as ts.ParseConfigFileHost);
  if (parsed === undefined) throw new Error(`there is no tsconfig.json in ${folder}`);
  const open = new Map<string, { readonly text: string; readonly version: number }>();
  const textOf = (file: string): string | undefined => open.get(file)?.text ?? ts.sys.readFile(file);
  const service = ts.createLanguageService({
    getCompilationSettings: () => parsed.options,
    getScriptFileNames: () => [...new Set([...parsed.fileNames, ...open.keys()])],
    getScriptVersion: (file) => String(open.get(file)?.version ?? 0),
    getScriptSnapshot: (file) => {
      const text = textOf(file);
      return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
    },
    getCurrentDirectory: () => folder,
    getDefaultLibFileName: (options) => ts.getDefaultLibFilePath(options),
    fileExists: (file) => open.has(file) || ts.sys.fileExists(file),
    readFile: textOf,
    readDirectory: ts.sys.readDirectory,
    directoryExists: ts.sys.directoryExists,
    getDirectories: ts.sys.getDirectories,
  });
  return {
    type(path, text) {
      const file = join(folder, path);
      open.set(file, { text, version: (open.get(file)?.version ?? 0) + 1 });
    },
    problems(path) {
      const file = join(folder, path);
      return [...service.getSyntacticDiagnostics(file), ...service.getSemanticDiagnostics(file)].map(
        ({ file: source, start = 0, messageText }) => {
          const { line = 0 } = source?.getLineAndCharacterOfPosition(start) ?? {};
          return `${line + 1}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`;
        },
      );
    },
    completions(path, after) {
      const file = join(folder, path);
      const text = textOf(file) ?? readFileSync(file, "utf8");
      const position = text.indexOf(after) + after.length;
      return (service.getCompletionsAtPosition(file, position, {})?.entries ?? []).map(({ name }) => name);
    },
  };
}
