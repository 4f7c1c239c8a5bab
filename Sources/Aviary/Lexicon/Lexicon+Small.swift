extension Lexicon {
  /// The entries of the small world; a domain that is left out has all of them, or is not needed.
  static let small: [(domain: Domain, words: [String])] = smallTable.split(separator: "\n").map {
    line in
    let parts = line.split(separator: ":")
    guard let domain = Domain.allCases.first(where: { "\($0)" == parts[0] }) else {
      preconditionFailure("the lexicon has no table '\(parts[0])'")
    }
    let words = parts[1].split(separator: ",").map {
      $0.split(separator: " ").joined(separator: " ")
    }
    return (domain, words)
  }

  private static let smallTable = """
    names: Mira, Tom, Anna, Ben, Lena, Sam, Ella, Max, Nora, Leo, Lucy, Tim, Molly, Finn, Zoe, Otto
    kinds: wren, robin, sparrow, finch, crow, owl, hawk, swallow, duck, goose, swan, penguin
    traits: shy, brave, tiny, kind, clever, gentle, lazy, silly, quiet, cheerful, proud, old
    givers: grandmother, mother, father, uncle
    places: the forest, the beach, the farm, the market, the woods, the harbour, the meadow
    places: the village, the glade, the island, the barn, the castle
    weathers: rainy, windy, stormy, foggy, misty, cloudy
    times: spring day, summer day, autumn day, winter day
    objects: kite, drum, ball, scarf, hat, bell, book, basket
    colours: red, blue, green, yellow, white, black
    nooks: under the ferns, behind a fallen log, under the seaweed, behind a rowing boat
    nooks: under the straw, behind the tractor, under a bench, behind a barrel
    thieves: sly fox, hungry weasel, cheeky magpie, grey rat
    foods: berries, nuts, seeds, apples, cherries, plums, crumbs, peas
    landmarks: stone path, white fence, river bank, church bell, cart road, red gate
    traps: bramble bush, hollow stump, fishing net, sand pit, wire fence, feed bucket
    traps: broken crate, coil of rope
    fears: dark shadow, loud bang, strange noise, big spider, scarecrow, stone statue
    songs: lullaby, ballad, funny rhyme, sea shanty
    glad: happy, glad, joyful, thankful
    sad: sad, unhappy, gloomy, sorry
    manners: quickly, gently, slowly, bravely, quietly, kindly
    """
}
