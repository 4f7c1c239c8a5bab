import ArgumentParser
import Datasets

/// The names of the fields of records in their files.
struct FieldArguments: ParsableArguments {
  @Option(help: "Name of a field in the records, as in text=sentence. Repeatable.")
  var field: [String] = []

  @Option(help: "Name of a field of the records or their messages to leave out. Repeatable.")
  var ignoreField: [String] = []

  func validate() throws {
    do {
      _ = try names
    } catch let error as DatasetError {
      throw ValidationError(Failure.sentence(error))
    }
  }

  /// The names that the options give.
  var names: FieldNames {
    get throws {
      let pairs = try field.map { argument in
        let parts = argument.split(separator: "=", maxSplits: 1).map(String.init)
        guard parts.count == 2 else {
          throw ValidationError("--field needs KNOWN=NAME, as in text=sentence, not \(argument).")
        }
        return (known: parts[0], name: parts[1])
      }
      return try FieldNames(pairs, ignoring: ignoreField)
    }
  }
}
