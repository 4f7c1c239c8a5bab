import DataParallel
import Files
import Foundation
import MPI
import Monitoring
import Phases

extension EvaluateCommand {
  /// The results of one model.
  struct Row {
    let model: String
    var figures: [Figure] = []
    var answer: (prompt: String, text: String)?
  }

  /// Evaluates every model, and prints the results on rank 0.
  ///
  /// Collective.
  func run(_ world: Communicator, _ workers: Cores.Assignment) throws {
    var rows: [Row] = []
    for path in models {
      let evaluation = try ModelEvaluation(
        path: path, context: context, world: world, workers: workers, precision: precision.resolved)
      let maximum = evaluation.folder.configuration.context
      if let context, context > maximum {
        throw Failure.Refusal(
          "--context \(context) exceeds the \(maximum) positions of \(path): choose that or less.")
      }
      var row = Row(model: path)
      if !texts.isEmpty { row.figures += try evaluation.texts(texts, countsEnds: !withoutEnd) }
      if !records.isEmpty {
        let (figures, unused) = try evaluation.records(
          records, names: try fields.names, template: template, skipsBad: skipBad)
        row.figures += figures
        // The records are the same for every model.
        if world.rank == 0, rows.isEmpty, !unused.isEmpty { Failure.report("not used: \(unused).") }
      }
      if !instructions.isEmpty {
        let (figures, prompt, answer) = try evaluation.instructions(
          instructions, template: template, tokens: tokens, temperature: temperature, seed: seed)
        row.figures += figures
        row.answer = (prompt, answer)
      }
      rows.append(row)
    }
    guard world.rank == 0 else { return }
    try json ? printLines(rows) : printTable(rows)
    if !withoutEnd, rows.contains(where: { $0.figures.contains { $0.name == "perplexity" } }) {
      Failure.report("the end of each text counts as a token; --without-end leaves it out.")
    }
  }

  private func printLines(_ rows: [Row]) throws {
    struct Line: Encodable {
      let model: String
      let figures: [String: Double]
      let prompt: String?
      let answer: String?
    }
    for row in rows {
      try StandardOutput.print(
        json: Line(
          model: row.model, figures: Dictionary(row.figures.map { ($0.name, $0.value) }) { $1 },
          prompt: row.answer?.prompt, answer: row.answer?.text))
    }
  }

  /// Prints one table per run of consecutive models with the same figures.
  private func printTable(_ rows: [Row]) throws {
    var start = 0
    while start < rows.count {
      let names = rows[start].figures.map(\.name)
      let end = rows[start...].firstIndex { $0.figures.map(\.name) != names } ?? rows.count
      let table = EvaluationTable(
        models: rows[start..<end].map(\.model), figures: rows[start..<end].map(\.figures))
      if start > 0 { try StandardOutput.print("") }
      for line in table.lines { try StandardOutput.print(line) }
      if let result = table.result {
        try StandardOutput.print("\n" + result.joined(separator: "\n"))
      }
      start = end
    }
    for (number, row) in rows.enumerated() {
      guard let answer = row.answer else { continue }
      if number == 0 { try StandardOutput.print("\n\(answer.prompt)") }
      try StandardOutput.print("\n— \(row.model)\n\(answer.text)")
    }
  }
}
