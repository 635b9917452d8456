/**
 * What the library refers to weakly. In the model nothing is collected.
 *
 * V8 keeps what a `WeakRef` was made of, or has told, until the job ends; and all executions of an exploration are one
 * job. What a `WeakMap` has for a key it keeps until it collects all garbage, not only what is young.
 */

/** In place of `WeakRef`. */
export class Reference {
  #target;

  constructor(target) {
    this.#target = target;
  }

  deref() {
    return this.#target;
  }
}

/** In place of `WeakMap`: each key has its value itself. What the library does not use of one is not there. */
export class Annotation {
  #name = Symbol('annotation');

  get(key) {
    return key[this.#name];
  }

  set(key, value) {
    key[this.#name] = value;
    return this;
  }

  delete(key) {
    return delete key[this.#name];
  }
}
