/** What an oracle finds wrong. A history that is wrong once is looked at no further. */
export class Violation extends Error {
  override readonly name = "Violation";
  readonly rule: string;

  constructor(rule: string, message: string) {
    super(`${rule}: ${message}`);
    this.rule = rule;
  }
}

/** For whoever goes on behind what is wrong: each `attempt` adds what it finds. */
export class Violations {
  readonly found: string[] = [];

  attempt(act: () => void): boolean {
    try {
      act();
      return true;
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      this.found.push(error.message);
      return false;
    }
  }
}

export const violation = (rule: string, message: string): never => {
  throw new Violation(rule, message);
};
