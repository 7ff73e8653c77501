import { type LanguageProbs, mostLikely } from './window_decoder.js';

/** Probability above which a language is sure. */
export const SURE = 0.5;

/** Which language it is: the first window that is sure decides; when none is, the mean of all. */
export class LanguageVote {
  private sums: LanguageProbs = [];
  private windows = 0;

  /** Takes the probabilities of a window. True when it decides. */
  decides(probs: LanguageProbs): boolean {
    const isSure = mostLikely(probs)[1] > SURE;
    if (isSure || this.windows === 0) {
      this.sums = probs;
      this.windows = 1;
      return isSure;
    }
    this.sums = this.sums.map(([code, sum], i) => [code, sum + probs[i]![1]]);
    ++this.windows;
    return false;
  }

  /** The outcome so far, in the order of the languages. */
  get probs(): LanguageProbs {
    return this.sums.map(([code, sum]) => [code, sum / this.windows]);
  }

  copy(): LanguageVote {
    const vote = new LanguageVote();
    vote.sums = this.sums;
    vote.windows = this.windows;
    return vote;
  }
}
