/** Where an operation stands in the library: for printing, and to know what was reached. */
export class Site {
  constructor(file, line, functionName, kind) {
    this.file = file;
    this.line = line;
    this.functionName = functionName;
    this.kind = kind;
    /** How often it was carried out. */
    this.count = 0;
  }

  toString() {
    return `${this.functionName} (${this.file}:${this.line})`;
  }
}
