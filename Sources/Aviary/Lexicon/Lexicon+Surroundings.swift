extension Lexicon {
  // Forms of a place: noun phrase / prepositional phrase of place. Forms of a weather: adjective /
  // prepositional phrase / clause with a finite verb.
  //
  // Cold and hot weather carry a climate flag that the time must share, so no summer day is snowy.
  static let surroundings = """
    place
    wood: the forest/in the forest, the woods/in the woods, the grove/in the grove
    wood: the glade/in the glade, the thicket/in the thicket, the jungle/in the jungle
    wood: the clearing/in the clearing, the campsite/at the campsite
    shore: the beach/on the beach, the harbour/at the harbour, the pier/on the pier
    shore: the lighthouse/at the lighthouse, the bay/in the bay, the cove/in the cove
    shore: the island/on the island, the dunes/in the dunes, the seaside/at the seaside
    shore: the lagoon/at the lagoon
    fresh: the pond/at the pond, the lake/at the lake, the river/by the river
    fresh: the stream/by the stream, the waterfall/at the waterfall, the marsh/in the marsh
    fresh: the canal/by the canal, the brook/by the brook, the swamp/in the swamp
    fresh: the ferry/at the ferry
    farm: the farm/on the farm, the barn/at the barn, the field/in the field
    farm: the meadow/in the meadow, the stable/at the stable, the vineyard/in the vineyard
    farm: the pasture/on the pasture, the hayfield/in the hayfield, the windmill/at the windmill
    farm: the dairy/at the dairy
    town: the market/at the market, the square/on the square, the school/at the school
    town: the bakery/at the bakery, the station/at the station, the museum/at the museum
    town: the library/at the library, the castle/at the castle, the church/at the church
    town: the playground/on the playground, the fair/at the fair, the village/in the village
    town: the fountain/at the fountain, the theatre/at the theatre
    hill: the hill/on the hill, the mountain/on the mountain, the valley/in the valley
    hill: the canyon/in the canyon, the ridge/on the ridge, the quarry/in the quarry
    hill: the lookout/at the lookout, the summit/on the summit, the glacier/on the glacier
    garden: the garden/in the garden, the park/in the park, the orchard/in the orchard
    garden: the maze/in the maze, the lawn/on the lawn, the courtyard/in the courtyard
    garden: the greenhouse/at the greenhouse, the vegetable patch/in the vegetable patch

    weather
    : rainy/in the rain/the rain fell, windy/in the wind/the wind blew
    : stormy/in the storm/the storm roared, foggy/in the fog/the fog drifted
    : misty/in the mist/the mist lay low, cloudy/under the clouds/the clouds rolled by
    : drizzly/in the drizzle/the drizzle dripped, breezy/in the breeze/the breeze whispered
    : hazy/in the haze/the haze hung low, gusty/in the gusts/the gusts howled
    : thundery/in the thunder/the thunder rumbled
    cold: snowy/in the snow/the snow came down, frosty/in the frost/the frost sparkled
    cold: icy/over the ice/the ice gleamed, chilly/in the chill/the chill crept in
    hot: sunny/in the sunshine/the sun shone, hot/in the heat/the heat shimmered
    hot: warm/in the warmth/the warmth lingered

    time
    cold hot: morning, afternoon, evening, day, Monday, Tuesday, Wednesday, Thursday, Friday
    cold hot: Saturday, Sunday, holiday, spring day, autumn day
    hot: summer day
    cold: winter day

    height
    wood hill: old oak, tall pine, white birch, high ledge, giant fir
    shore: ship's mast, lifeguard tower, palm tree, boathouse roof, steep cliff
    fresh: weeping willow, mill roof, wooden bridge, tall poplar
    farm: barn roof, hay stack, apple tree, silo
    town: church tower, street lamp, clock tower, tin roof, flag pole, chimney
    garden: cherry tree, garden wall, rose arch, chestnut tree

    water
    shore: waves, tide, surf, salt water
    fresh: deep pool, current, reeds, green water

    nook
    wood: under the ferns, behind a fallen log, under the moss, between the roots, beside a mushroom
    shore: under the seaweed, behind a rowing boat, between the rocks, beside an anchor
    fresh: under the lily pads, behind the rushes, between two pebbles, beside the dam
    farm: under the straw, behind the tractor, between two sacks, beside the trough
    town: under a bench, behind a barrel, between two carts, beside the letter box
    hill: under a boulder, behind the cairn, between the thistles, beside a signpost
    garden: under the tulips, behind the wheelbarrow, between the cabbages, beside the sundial

    hole
    : deep hole, rabbit hole, narrow crack, drain, dry well, tunnel, dark pit, gap in the ground

    trap
    wood: bramble bush, tangle of vines, hollow stump, patch of nettles
    shore: fishing net, heap of nets, sand pit
    fresh: muddy ditch, clump of weeds, puddle of mud
    farm: wire fence, pile of hay, feed bucket
    town: turnstile, broken crate, coil of rope
    hill: rock crevice, gorse bush, mountain gully
    garden: thorny hedge, watering can, tomato cage

    landmark
    : stone path, white fence, row of lanterns, river bank, railway track, church bell, chalk line
    : cart road, trail of smoke, milestone, evening star, red gate, footprints, old canal

    barrier
    : wide ditch, rushing creek, crumbled wall, fallen trunk, flooded lane, broken bridge
    : thick bog, steep bank

    crossing
    : plank, log, rope ladder, raft, wooden door, long board, sturdy branch, canoe
    """
}
