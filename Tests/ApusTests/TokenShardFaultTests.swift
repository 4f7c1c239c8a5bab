import Foundation
import Testing

/// Token shards that are damaged on the disk, or shortened while a run reads them.
@Suite struct TokenShardFaultTests {
  private static let pretrain = ["pretrain", "run.yaml", "--threads", "1"]

  /// Flips the lowest bit of id `index` of a shard.
  private func flip(_ name: String, id index: Int, in program: Program) throws {
    var bytes = try #require(program.read(name))
    bytes[64 + 2 * index] ^= 1
    try program.write(bytes, to: name)
  }

  @Test func aDamagedShardOfARunIsBuiltAgain() throws {
    try Program.withCorpus { program in
      // The same learning rate at every step, whatever the number of steps.
      let pretrain = Self.pretrain + ["--set", "schedule.name=constant"]
      let whole = try program.run(pretrain + ["--set", "run=whole"])
      #expect(whole.code == 0 && !whole.errors.contains("built again"), "\(whole.errors)")
      #expect(try program.run(pretrain + ["--set", "steps=6"]).code == 0)
      for name in ["train", "validation"] {
        try flip("run/data/\(name).tokens", id: 3, in: program)
        let again = try program.run(
          pretrain + ["--set", "steps=9"], ranks: Program.mpirun == nil ? nil : 2)
        #expect(again.code == 0, "\(again.errors)")
        for word in ["built again from its text", "run/data/\(name).tokens is damaged"] {
          #expect(again.errors.contains(word), "\(again.errors)")
        }
      }
      #expect(try program.run(pretrain).code == 0)
      let hash = program.hash("whole")
      #expect(hash != nil && program.hash("run") == hash)
    }
  }

  @Test(arguments: ["train", "validation"])
  func aDamagedDatasetIsRefusedOnEveryRank(shard: String) throws {
    try Program.withCorpus { program in
      let built = try program.run(["data", "build", "corpus.txt", "--output", "shards"])
      #expect(built.code == 0, "\(built.errors)")
      #expect(try program.run(["data", "inspect", "shards"]).code == 0)
      try flip("shards/\(shard).tokens", id: 5, in: program)
      let train = Self.pretrain + ["--set", "data.train=shards"]
      var results = [try program.run(train), try program.run(["data", "inspect", "shards"])]
      if Program.mpirun != nil { results.append(try program.run(train, ranks: 3)) }
      for result in results {
        #expect(result.code == 2, "\(result.errors)")
        #expect(result.errors.contains("shards/\(shard).tokens is damaged"), "\(result.errors)")
        let sums = result.errors.matches(of: /content is ([0-9a-f]{8}) where ([0-9a-f]{8}) is/)
        #expect(sums.count == 1 && sums.first?.1 != sums.first?.2, "\(result.errors)")
      }
    }
  }

  @Test(arguments: [nil, 2])
  func aShardShortenedDuringARunEndsItWithItsName(ranks: Int?) throws {
    if ranks != nil && Program.mpirun == nil { return }
    try Program.withCorpus { program in
      let (process, output, errors) = try program.start(
        Self.pretrain + Program.long + ["--set", "steps=2000"], ranks: ranks)
      Program.wait(for: process) { !program.steps("run").isEmpty }
      truncate("\(program.folder)/run/data/train.tokens", 0)
      let result = Program.finish(process, output, errors)
      #expect(result.code == 5, "\(result.errors)")
      #expect(result.errors.contains("run/data/train.tokens can no longer be read"))
    }
  }
}
