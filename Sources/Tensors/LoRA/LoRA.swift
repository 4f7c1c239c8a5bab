// Low-rank adaptation (LoRA, Hu and others 2021), with the conventions of Hugging Face's PEFT.
//
//   y = x·W + b + (dropout(x)·Aᵀ)·Bᵀ·alpha/r        A: [r, inputs], B: [outputs, r]
//
// W and b are frozen; A and B are trained. B is initialized to zero, so that the adapted network
// initially computes the same as the base. A is initialized uniformly in ±1/√inputs, which is
// PEFT's Kaiming-uniform initialization with √5.

import Files

/// The LoRA configuration: the linear layers of a network that get an adapter, and the adapters'
/// rank, scale and dropout rate.
package struct LoRA: Sendable, Hashable {
  /// Rank of every adapter, r.
  package var rank: Int
  /// Numerator of the scale alpha/r.
  package var alpha: Float
  /// Dropout rate of the inputs of A, in [0, 1).
  package var dropout: Float
  /// Name patterns of the linear layers to adapt; see `ModulePattern`.
  package var targets: [String]
  /// Name patterns of modules that are trained in full, such as `score`; PEFT's `modules_to_save`.
  package var modulesToSave: [String]
  /// True when the scale is alpha/√r (rsLoRA, Kalajdzievski 2023); PEFT's `use_rslora`.
  package var isRankStabilized: Bool

  package init(
    rank: Int, alpha: Float, dropout: Float = 0, targets: [String], modulesToSave: [String] = [],
    isRankStabilized: Bool = false
  ) {
    precondition(
      rank > 0 && dropout >= 0 && dropout < 1, "LoRA of rank \(rank), dropout rate \(dropout)")
    self.rank = rank
    self.alpha = alpha
    self.dropout = dropout
    self.targets = targets
    self.modulesToSave = modulesToSave
    self.isRankStabilized = isRankStabilized
  }

  /// The factor of the product B·A.
  package var scale: Float {
    alpha / (isRankStabilized ? Float(rank).squareRoot() : Float(rank))
  }
}

/// A pattern of module names, with PEFT's rules.
///
/// `all-linear` matches every linear layer except the network's heads. A pattern of letters,
/// digits, `_` and `.` matches a name or the end of one (`q_proj`, `attn.c_proj`). Anything else is
/// a regular expression of the whole name (`.*layers\.[0-3]\..*_proj`).
package struct ModulePattern {
  private enum Kind {
    case every
    case suffix(String)
    case expression(text: String, RegularExpression)
  }
  private let kind: Kind

  /// The pattern that matches every linear layer except heads.
  package static let allLinear = "all-linear"

  /// Parses a pattern.
  ///
  /// - Throws: `LoRAError.badPattern` when `text` is not a valid regular expression.
  package init(_ text: String) throws(LoRAError) {
    if text == ModulePattern.allLinear {
      kind = .every
    } else if ModulePattern.isName(text) {
      kind = .suffix(text)
    } else if let expression = RegularExpression(matchingAll: text) {
      kind = .expression(text: text, expression)
    } else {
      throw .badPattern(text)
    }
  }

  /// Returns true when `text` has only characters of a module name.
  package static func isName(_ text: String) -> Bool {
    !text.isEmpty
      && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "_.".contains($0)) }
  }

  /// Returns true when the pattern matches the module `name` or a module that contains it.
  ///
  /// - Throws: As `matches`.
  package func covers(_ name: String) throws(LoRAError) -> Bool {
    let parts = name.split(separator: ".")
    for end in parts.indices where try matches(parts[...end].joined(separator: ".")) {
      return true
    }
    return false
  }

  /// Returns true when the pattern matches the module `name`.
  ///
  /// - Throws: `LoRAError.slowPattern` when an expression exceeds its limit of steps.
  package func matches(_ name: String) throws(LoRAError) -> Bool {
    switch kind {
    case .every: return true
    case .suffix(let suffix): return name == suffix || name.hasSuffix(".\(suffix)")
    case .expression(let text, let expression):
      do {
        return try expression.isFound(in: name)
      } catch {
        throw .slowPattern(text, name: name)
      }
    }
  }
}

extension Sequence {
  /// Returns true when `predicate` is true for one element; throws its errors.
  package func hasOne<Failure>(
    where predicate: (Element) throws(Failure) -> Bool
  ) throws(Failure) -> Bool {
    for element in self where try predicate(element) { return true }
    return false
  }
}

/// An invalid pattern of a `LoRA` configuration.
package enum LoRAError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The pattern is not a valid regular expression.
  case badPattern(String)
  /// The pattern takes too many steps on the name of a module.
  case slowPattern(String, name: String)
  /// The pattern matches no module of the network; `known` lists the last components of the names
  /// that it could match.
  case noTarget(String, known: [String])
  /// No linear layer gets an adapter.
  case noAdapter

  package var description: String {
    switch self {
    case .badPattern(let text):
      "The LoRA pattern \(text) is neither a name nor a regular expression: write the end of a "
        + "module's name, such as q_proj, or a regular expression of the whole name."
    case .slowPattern(let text, let name):
      "The LoRA pattern \(text) takes too long to match the module \(name): write the ends of the names, "
        + "or an expression that does not repeat repetitions."
    case .noAdapter:
      "LoRA has no linear layer to adapt: lora.targets names none, or lora.modulesToSave trains all of "
        + "them in full; name layers in lora.targets, such as \(ModulePattern.allLinear), or leave out "
        + "lora.rank."
    case .noTarget(let text, let known):
      "The LoRA pattern \(text) matches no module of this model, which has "
        + "\(known.joined(separator: ", ")): name one of these, or \(ModulePattern.allLinear)."
    }
  }
}
