import Checkpoints
import Tensors

extension TrainingPlan {
  /// Reads the parameters of `layout` that the initial model has.
  ///
  /// - Returns: The names of the others, whose values are unchanged.
  func readWeights(of layout: ParameterLayout, into values: FlatBuffer) throws -> [String] {
    guard case .folder(let path) = weights else { return layout.entries.map(\.name) }
    let folder = try ModelFolder(path: path)
    guard tokenizer.vocabularySize > folder.tokenizer.vocabularySize else {
      return try folder.copyWeights(into: values, of: layout)
    }
    return try folder.copyWeights(
      into: values, of: layout, extendedBy: tokenizer, seed: seed)
  }
}
