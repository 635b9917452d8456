/**
 * Jain's fairness index of what the threads got: 1 when all got the same, 1/n when one of n got everything.
 * R. Jain, D. Chiu, W. Hawe, "A quantitative measure of fairness and discrimination", 1984.
 * @param {number[]} shares
 */
export function jainIndex(shares) {
  const sum = shares.reduce((total, share) => total + share, 0);
  const squares = shares.reduce((total, share) => total + share * share, 0);
  return squares === 0 ? 1 : (sum * sum) / (shares.length * squares);
}
