/** What an oracle finds wrong. A history that is wrong once is looked at no further. */
export class Violation extends Error {
  override readonly name = "Violation";
  readonly rule: string;

  constructor(rule: string, message: string) {
    super(`${rule}: ${message}`);
    this.rule = rule;
  }
}

export const violation = (rule: string, message: string): never => {
  throw new Violation(rule, message);
};
