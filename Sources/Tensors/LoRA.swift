// Low-rank adaptation (LoRA, Hu and others 2021), with the conventions of Hugging Face's PEFT.
//
//   y = x·W + b + (dropout(x)·Aᵀ)·Bᵀ·alpha/r        A: [r, inputs], B: [outputs, r]
//
// W and b stay as they are; A and B are trained. B starts at zero, so that the network starts as it
// was; A starts uniform in ±1/√inputs, which is PEFT's Kaiming-uniform with √5.

/// Which linear maps of a network get a trained low-rank map beside them, and how large it is.
public struct LoRA: Sendable, Hashable {
  /// Rank of every map, r.
  public var rank: Int
  /// Numerator of the scale alpha/r.
  public var alpha: Float
  /// Share of the inputs that is dropped before A.
  public var dropout: Float
  /// Patterns of the linear maps' names; see `ModulePattern`.
  public var targets: [String]
  /// Patterns of modules that are trained whole, such as `score`; PEFT's `modules_to_save`.
  public var modulesToSave: [String]
  /// Whether the scale is alpha/√r (Kalajdzievski 2023); PEFT's `use_rslora`.
  public var isRankStabilized: Bool

  /// See the properties.
  public init(
    rank: Int, alpha: Float, dropout: Float = 0, targets: [String], modulesToSave: [String] = [],
    isRankStabilized: Bool = false
  ) {
    precondition(
      rank > 0 && dropout >= 0 && dropout < 1, "LoRA of rank \(rank), \(dropout) dropped")
    self.rank = rank
    self.alpha = alpha
    self.dropout = dropout
    self.targets = targets
    self.modulesToSave = modulesToSave
    self.isRankStabilized = isRankStabilized
  }

  /// What the low-rank map is multiplied by.
  public var scale: Float {
    alpha / (isRankStabilized ? Float(rank).squareRoot() : Float(rank))
  }
}

/// A pattern of modules' names, as PEFT reads them.
///
/// `all-linear` stands for every linear map but a network's heads; letters, digits, `_` and `.` for a
/// name or the end of one (`q_proj`, `attn.c_proj`); anything else is a regular expression of the
/// whole name (`.*layers\.[0-3]\..*_proj`).
public struct ModulePattern {
  private enum Kind {
    case every
    case suffix(String)
    case expression(Regex<AnyRegexOutput>)
  }
  private let kind: Kind

  /// Every linear map but heads.
  public static let allLinear = "all-linear"

  /// Reads a pattern.
  public init(_ text: String) throws(LoRAError) {
    if text == ModulePattern.allLinear {
      kind = .every
    } else if ModulePattern.isName(text) {
      kind = .suffix(text)
    } else {
      do {
        kind = .expression(try Regex(text))
      } catch {
        throw .badPattern(text)
      }
    }
  }

  /// Whether `text` is a name or the end of one.
  public static func isName(_ text: String) -> Bool {
    !text.isEmpty
      && text.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."):
          true
        default: false
        }
      }
  }

  /// Whether it stands for the module `name` or one that holds it.
  public func covers(_ name: String) -> Bool {
    let parts = name.split(separator: ".")
    return parts.indices.contains { matches(parts[...$0].joined(separator: ".")) }
  }

  /// Whether it stands for the module `name`.
  public func matches(_ name: String) -> Bool {
    switch kind {
    case .every: true
    case .suffix(let suffix): name == suffix || name.hasSuffix(".\(suffix)")
    case .expression(let expression): (try? expression.wholeMatch(in: name)) != nil
    }
  }
}

/// What can be wrong with the patterns of a `LoRA`.
public enum LoRAError: Error, Equatable, Sendable, CustomStringConvertible {
  /// A pattern is no regular expression.
  case badPattern(String)
  /// A pattern stands for nothing in the network; the ends of the names there are.
  case noTarget(String, known: [String])

  /// One sentence: what, why, what to do.
  public var description: String {
    switch self {
    case .badPattern(let text):
      "The LoRA pattern \(text) is neither a name nor a regular expression: write the end of a "
        + "module's name, such as q_proj, or a regular expression of the whole name."
    case .noTarget(let text, let known):
      "The LoRA pattern \(text) stands for no module of this model, which has "
        + "\(known.joined(separator: ", ")): name one of these, or \(ModulePattern.allLinear)."
    }
  }
}
