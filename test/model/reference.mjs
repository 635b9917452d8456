/**
 * In place of `WeakRef`. What one of V8's was made of, or has told, is kept until the job ends; and all executions of an
 * exploration are one job. In the model nothing is collected.
 */
export class Reference {
  #target;

  constructor(target) {
    this.#target = target;
  }

  deref() {
    return this.#target;
  }
}
