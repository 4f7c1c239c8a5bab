extension Lexicon {
  // Forms of an object: noun / verb phrase of its use.
  static let things = """
    object
    breakable: kite/fly, drum/beat, flute/play, fiddle/play, cart/pull, toy boat/sail
    breakable: toy train/push, music box/play, lantern/carry, basket/fill, umbrella/open
    breakable: mirror/polish, bell/ring, whistle/blow, fan/wave, puppet/hold, doll/carry
    breakable: spinning top/spin, hoop/roll, pinwheel/spin, teapot/fill, jar/fill, cup/fill
    breakable: bucket/fill, wagon/pull, telescope/hold, guitar/play, trumpet/blow
    breakable: tambourine/shake, rattle/shake, sled/pull, scooter/push, accordion/play, vase/fill
    : ball/throw, balloon/hold, scarf/wear, hat/wear, ribbon/wave, flag/wave, blanket/fold
    : book/read, map/read, coin/toss, marble/roll, shell/polish, feather/wave, cap/wear
    : button/polish, pillow/carry, necklace/wear, bracelet/wear, crown/wear, cape/wear, medal/wear
    : letter/read, box/open, bag/carry, purse/carry, cushion/carry, apron/wear, envelope/open
    : notebook/read, bead/roll, postcard/read, yarn ball/roll, backpack/carry, sponge/squeeze

    colour
    : red, blue, green, yellow, orange, purple, pink, white, black, brown, grey, silver, golden
    : violet, turquoise, crimson, ivory, lilac, scarlet, amber

    thief
    : sly fox, hungry weasel, cheeky magpie, grey rat, naughty jackdaw, thin wolf, sneaky stoat
    : bad goblin, greedy ferret, wild boar

    repair
    : string, glue, tape, wire, thread, wax, clay, resin, twine, nails, leather, screws, paste

    food
    : berries, nuts, seeds, apples, cherries, plums, pears, crumbs, biscuits, pancakes, carrots
    : peas, strawberries, figs, grapes, raisins, mushrooms, muffins, noodles, dumplings, beans
    : walnuts, peaches, radishes, pies, waffles, oats, potatoes, melons, chestnuts

    drink
    : cool water, apple juice, lemonade, milk, mint tea, berry juice, coconut milk, ginger ale
    : barley water, orange juice

    clothing
    : woolly scarf, thick blanket, winter coat, knitted hat, quilt, long shawl, jumper, fleece
    : padded jacket, poncho

    remedy
    : soft bandage, cool leaf, clean ribbon, handkerchief, strip of cloth, wet towel, herb plaster
    : piece of silk, mint compress, cotton pad

    fear
    : dark shadow, loud bang, strange noise, big spider, scarecrow, stone statue, spooky mask
    : long snake, hissing kettle, rattling window, hooded stranger, angry bull, swarm of bees
    : giant crab, flapping sail

    song
    : lullaby, ballad, marching song, funny rhyme, sea shanty, folk tune, round, hymn

    game
    : tag, leapfrog, marbles, chess, catch, hopscotch, dominoes, charades, checkers, skittles

    glad
    : happy, glad, joyful, thankful, delighted, pleased, grateful, content, relieved, overjoyed

    sad
    : sad, unhappy, gloomy, disappointed, sorry, upset, miserable, downcast, weary, tearful

    manner
    : quickly, gently, slowly, carefully, bravely, calmly, kindly, patiently, quietly, easily
    : eagerly, cleverly, steadily, softly, swiftly
    """
}
