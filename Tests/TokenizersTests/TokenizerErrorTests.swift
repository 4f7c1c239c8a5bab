import Glibc
import Testing

@testable import Tokenizers

@Suite struct TokenizerErrorTests {
  @Test(
    arguments: [
      (
        .unknownID(id: 300, vocabularySize: 257),
        "token id 300 is outside the vocabulary of 257 tokens; use ids from 0 to 256"
      ),
      (
        .vocabularyTooSmall(requested: 100, minimum: 257),
        "a vocabulary of 100 tokens cannot hold the 256 bytes and the special tokens; "
          + "ask for at least 257"
      ),
      (
        .invalidVocabulary(.missingID(7), path: "t/vocab.json"),
        "t/vocab.json: no token has id 7, but higher ids exist; use the tokenizer's original files"
      ),
      (
        .invalidVocabulary(.missingByte(9), path: nil),
        "the vocabulary is damaged: byte 9 has no token; use the tokenizer's original files"
      ),
      (
        .unreadable(path: "x", reason: "no such file or directory"),
        "cannot read x: no such file or directory; check the path and its permissions"
      ),
      (
        .noTokenizer(folder: "x"),
        "x holds no tokenizer: neither tokenizer.json, vocab.json with merges.txt, vocab.txt, "
          + "spiece.model nor tokenizer.model is there; give a folder that has one, or train one "
          + "with `apus tokenizer train`"
      ),
      (
        .malformedJSON(path: "x", line: 3, reason: "':' is expected"),
        "x:3 is not valid JSON: ':' is expected; the file may be cut short, copy it again"
      ),
      (
        .invalidField(path: "x", field: "model.vocab", expected: "present"),
        "x: field 'model.vocab' must be present; save the tokenizer again with its own program"
      ),
      (
        .noSettings(path: "x", found: "null"),
        "x holds null where an object of settings is expected; copy the original file again"
      ),
      (
        .malformedMerge(path: "merges.txt", line: 2),
        "merges.txt:2 is not a merge: two tokens separated by one space are expected; "
          + "use the tokenizer's original files"
      ),
      (
        .malformedModel(path: "x", reason: "it has no pieces"),
        "x is not a vocabulary: it has no pieces; copy the original file again"
      ),
      (
        .unsupported(path: "x", construct: "normalizer Foo"),
        "x uses normalizer Foo, which Apus does not support; use a tokenizer of the GPT-2, Llama, "
          + "Qwen, BERT or T5 family, or train one with `apus tokenizer train`"
      ),
      (
        .unusableTemplate(path: "x", reason: "line 1 is no Jinja"),
        "x holds a chat template that cannot be used: line 1 is no Jinja; name one of chatml, "
          + "llama3, plain to use instead"
      ),
      (
        .unrendered(reason: "the chat template refuses it at line 1: no"),
        "a conversation cannot be rendered: the chat template refuses it at line 1: no; change the "
          + "conversation or name another template"
      ),
      (
        .unwritable(path: "x", cause: .call(operation: "write", path: "x.tmp", code: ENOSPC)),
        "cannot write x: no space left on device; check free space and permissions"
      ),
    ] as [(TokenizerError, String)])
  func descriptionEqualsTheSentence(_ error: TokenizerError, _ expected: String) {
    #expect(error.description == expected)
  }

  @Test(
    arguments: [
      (.duplicateToken("a"), "token 'a' occurs twice"),
      (.duplicateID(3), "id 3 belongs to two tokens"),
      (.missingID(3), "no token has id 3, but higher ids exist"),
      (.foreignToken("日"), "token '日' is not spelled in the byte alphabet"),
      (.missingByte(3), "byte 3 has no token"),
      (
        .unknownMergeToken(index: 3, token: "ab"),
        "merge 3 refers to 'ab', which is not in the vocabulary"
      ),
      (.repeatedMerge(index: 3), "merge 3 repeats an earlier one"),
      (.reachableSpecial("a"), "special token 'a' is also a byte or the result of a merge"),
      (.missingEndOfText("</s>"), "the end-of-text token '</s>' is not among its special tokens"),
    ] as [(VocabularyDefect, String)])
  func descriptionEqualsTheClause(_ defect: VocabularyDefect, _ expected: String) {
    #expect(defect.description == expected)
  }
}
