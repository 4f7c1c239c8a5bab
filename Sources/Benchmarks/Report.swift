import Foundation

/// All figures of the last runs, the content of `latest.json`.
///
/// A run of some benchmarks keeps the other figures of the same machine; each has its own date and
/// commit.
struct Report: Codable, Equatable {
  var machine: Machine
  var figures: [BenchmarkFigure]

  func figure(_ name: String) -> BenchmarkFigure? { figures.first { $0.name == name } }

  /// This report with the further figures and versions of `earlier`, if that is of this machine.
  func filled(from earlier: Report?) -> Report {
    guard let earlier, earlier.machine.isLike(machine) else { return self }
    let own = Set(figures.map(\.name))
    var filled = self
    filled.figures += earlier.figures.filter { !own.contains($0.name) }
    filled.machine.versions.merge(earlier.machine.versions) { new, _ in new }
    return filled
  }
}

/// The folder with the last report, `latest.json`, and the one before it, `previous.json`.
struct ReportFolder {
  let path: String

  var latest: String { "\(path)/latest.json" }
  var previous: String { "\(path)/previous.json" }

  /// Reads the last report; nil if there is none.
  func read() throws -> Report? {
    guard let data = FileManager.default.contents(atPath: latest) else { return nil }
    do {
      return try JSONDecoder().decode(Report.self, from: data)
    } catch {
      throw Refusal(
        "\(latest) is not a report of this program, so no comparison is possible: remove it.")
    }
  }

  /// Creates the folder.
  func create() throws {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      throw Refusal(
        "\(path) cannot be created for the figures (\(error.localizedDescription)): choose another "
          + "folder with --output.", code: 5)
    }
  }

  /// Writes `report` as the latest, and the former latest as the previous.
  func write(_ report: Report) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    do {
      let data = try encoder.encode(report)
      if let before = FileManager.default.contents(atPath: latest) {
        try before.write(to: URL(fileURLWithPath: previous), options: .atomic)
      }
      try data.write(to: URL(fileURLWithPath: latest), options: .atomic)
    } catch {
      throw Refusal(
        "\(latest) cannot be written (\(error.localizedDescription)): choose another folder with "
          + "--output.", code: 5)
    }
  }
}
