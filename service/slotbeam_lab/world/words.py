"""The catalog's English: departments with their own entities, materials, functions … and words that all share.

Brand, series, seller and place names and everything that users type instead are invented by `lexicon.py`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Department:
    """One department. `rates` overrides `RATES` where its products differ; `price` is the median in currency units."""

    name: str
    heads: str
    kinds: str
    materials: str
    functions: str
    styles: str
    modifiers: str
    scenes: str
    audiences: str
    units: str
    price: float
    rates: str = ""


RATES: dict[str, float] = {
    "entity": 1.0,
    "brand": 1.0,
    "modifier": 0.55,
    "material": 0.65,
    "style": 0.35,
    "function": 0.60,
    "location": 0.15,
    "audience": 0.30,
    "color": 0.75,
    "scene": 0.40,
    "specifications": 0.60,
    "price": 0.25,
    "model": 0.25,
    "anchor": 0.08,
    "series": 0.65,
    "marketing": 0.20,
    "season": 0.10,
    "pattern": 0.10,
}
"""Share of items that carry a word of a category, in the order that the world numbers the categories."""

COLORS = (
    "black white red blue green yellow orange purple pink brown beige ivory lilac navy crimson coral olive mint "
    "lavender charcoal bronze silver gold turquoise cream burgundy amber graphite"
)
PATTERNS = "striped floral plaid dotted checkered camouflage geometric marbled paisley leopard herringbone houndstooth"
SEASONS = "spring,summer,autumn,winter,all season,monsoon"
PRICES = ("budget", "value", "mid range", "premium", "luxury")
MARKETING = (
    "new arrival,gift set,limited edition,best seller,clearance,bundle,anniversary edition,refill pack,starter kit"
)

DEPARTMENTS = (
    Department(
        "apparel",
        "jacket shirt sweater hoodie dress skirt blouse trousers jeans shorts coat vest cardigan leggings pajamas "
        "scarf beanie belt gloves raincoat jumpsuit tunic poncho blazer",
        "denim knit maternity cropped quilted hooded pleated thermal wrap uniform ribbed formal",
        "cotton wool linen polyester silk cashmere fleece corduroy rayon",
        "moisture wicking,wrinkle free,windproof,stretch,insulated,breathable,quick dry",
        "casual,vintage,bohemian,minimalist,streetwear,preppy,gothic",
        "slim fit,oversized,long sleeve,high waist,sleeveless,lightweight,relaxed fit",
        "office,party,wedding,beach,travel,yoga",
        "women,men,kids,girls,boys,teens",
        "size:s,m,l,xl,xxl",
        38,
        "pattern=.35 season=.4 audience=.8 specifications=.4 model=0 style=.55",
    ),
    Department(
        "footwear",
        "sneaker boot sandal loafer slipper heel moccasin clog oxford trainer espadrille mule flat wader insole galosh "
        "brogue pump",
        "trail ankle platform slip-on steel-toe court wedge chukka ballet snow rain",
        "leather suede canvas rubber mesh nubuck felt",
        "waterproof,slip resistant,arch support,shock absorbing,breathable,memory foam",
        "casual,classic,nostalgic,sporty,elegant",
        "wide fit,low top,high top,lace up,zip up,lightweight",
        "running,hiking,office,dance,beach,work",
        "women,men,kids,toddlers,seniors",
        "eu:36,37,38,39,40,41,42,43,44,45",
        62,
        "season=.25 audience=.8 specifications=.5 model=.1",
    ),
    Department(
        "kitchen",
        "kettle skillet saucepan teapot mug plate bowl knife spatula whisk colander grater peeler ladle tray jar "
        "thermos tumbler wok griddle cutlery chopsticks strainer mandoline",
        "camping espresso stockpot salad pizza butter rice steak pasta bento tea soup",
        "stainless steel,cast iron,ceramic,glass,bamboo,silicone,enamel,copper,porcelain",
        "nonstick,dishwasher safe,leakproof,heat resistant,stackable,insulated",
        "rustic,modern,scandinavian,farmhouse,japanese",
        "large,small,deep,shallow,covered,collapsible",
        "picnic,camping,restaurant,office,brunch",
        "chefs,beginners,kids,families",
        "ml:250,350,500,750,1000,1500,2000;cm:16,18,20,24,28,32",
        27,
        "specifications=.75",
    ),
    Department(
        "appliances",
        "blender toaster microwave refrigerator dishwasher vacuum humidifier heater fan juicer mixer oven fryer "
        "freezer dehumidifier iron steamer purifier grinder cooktop",
        "countertop handheld tower robot convection immersion cordless compact induction drum",
        "stainless steel,plastic,tempered glass,aluminum",
        "energy saving,self cleaning,low noise,timer,auto shutoff,touch control,child lock",
        "modern,nostalgic,industrial",
        "portable,built-in,foldable,heavy duty,smart",
        "apartment,bedroom,bakery,laundry room,garage",
        "families,singles,seniors,students",
        "watt:300,500,800,1000,1500,2000;liter:2,4,6,12,20",
        140,
        "model=.7 pattern=0 season=.03 audience=.15 specifications=.85",
    ),
    Department(
        "audio",
        "headphones equalizer speaker soundbar amplifier microphone turntable receiver subwoofer jukebox megaphone "
        "mixer karaoke synthesizer metronome boombox",
        "studio bookshelf gaming lavalier condenser party marine clip-on bone-conduction ceiling",
        "aluminum,walnut,plastic,carbon fiber,leatherette",
        "noise cancelling,wireless,waterproof,surround,voice control,fast charging",
        "minimalist,nostalgic,futuristic",
        "over ear,in ear,compact,portable,rechargeable",
        "gym,podcast,home theater,travel,stage",
        "gamers,kids,musicians,commuters",
        "hour:8,12,20,30,40,60;watt:10,20,40,80,120",
        85,
        "model=.75 pattern=0 season=0 material=.35 specifications=.8",
    ),
    Department(
        "computing",
        "monitor keyboard mouse laptop tablet router printer webcam scanner projector motherboard charger hub dock "
        "switch server workstation stylus trackball enclosure",
        "mechanical ultrawide curved vertical barebone mesh inkjet rackmount thermal solid-state",
        "aluminum,plastic,magnesium,glass",
        "backlit,wireless,hot swappable,low latency,touchscreen,water resistant,silent",
        "minimalist,gaming,industrial",
        "portable,compact,slim,modular,ergonomic",
        "office,classroom,studio,data center,home office",
        "gamers,students,developers,designers",
        "gb:8,16,32,64,128,256,512;inch:11,13,14,15,17,24,27,32",
        210,
        "model=.85 pattern=0 season=0 color=.5 specifications=.9",
    ),
    Department(
        "furniture",
        "sofa chair table desk bookcase wardrobe dresser nightstand stool bench cabinet sideboard recliner ottoman "
        "futon shelf hutch credenza headboard armoire",
        "dining coffee corner folding bunk rocking bar console standing accent swivel nesting",
        "oak,walnut,pine,rattan,velvet,marble,metal,leather,birch",
        "adjustable,space saving,foldable,stackable,reclining,storage",
        "mid century,scandinavian,rustic,industrial,brutalist,art deco",
        "tall,narrow,upholstered,tufted,modular,floating",
        "living room,bedroom,patio,hallway,office",
        "kids,adults,seniors",
        "cm:60,80,100,120,140,160,180,200",
        230,
        "color=.65 material=.85 style=.6 specifications=.65",
    ),
    Department(
        "bedding",
        "duvet pillow blanket mattress tapestry cushion sheet pillowcase coverlet bolster topper tablecloth "
        "canopy bedspread curtain towel rug doormat",
        "weighted cooling fitted waffle blackout bath body pillowtop crib shaggy",
        "cotton,microfiber,down,memory foam,bamboo,flannel,jersey,sateen",
        "hypoallergenic,machine washable,cooling,reversible,waterproof,fade resistant",
        "bohemian,modern,farmhouse,coastal,shabby chic",
        "soft,fluffy,firm,thick,lightweight",
        "bedroom,dorm,guest room,nursery,bathroom",
        "couples,kids,teens,hotel guests",
        "size:twin,full,queen,king;gsm:120,200,300,400,600",
        55,
        "pattern=.4 season=.3 model=0 series=.5",
    ),
    Department(
        "beauty",
        "lipstick shampoo conditioner serum moisturizer cleanser sunscreen perfume mascara eyeliner foundation toner "
        "concealer blush lotion scrub mask primer balm razor",
        "clay sheet foaming tinted micellar scalp overnight body lip eye beard",
        "argan oil,aloe vera,shea butter,collagen,charcoal,rose water,keratin",
        "hydrating,anti aging,brightening,volumizing,long lasting,fragrance free,soothing",
        "natural,korean,organic,french",
        "matte,glossy,travel size,sensitive,creamy",
        "daily,evening,wedding,beach,salon",
        "women,men,teens,dry skin,oily skin",
        "ml:15,30,50,100,200,400;spf:15,30,50",
        22,
        "model=0 pattern=0 color=.4 anchor=.25 season=.15 material=.55",
    ),
    Department(
        "toys",
        "puzzle doll robot kite yoyo marble puppet slime tricycle scooter dollhouse blocks playset drone figurine "
        "flashcards playmat abacus balloon whistle",
        "wooden magnetic plush musical jigsaw stacking pull-back floating origami bath",
        "wood,plastic,foam,felt,cardboard,cotton",
        "educational,glow in the dark,remote control,washable,interactive,sensory",
        "cartoon,fantasy,dinosaur,space,fairy tale",
        "giant,mini,inflatable,foldable,collectible",
        "birthday,classroom,travel,backyard,bath time",
        "toddlers,kids,girls,boys,preschoolers",
        "piece:12,24,50,100,250,500,1000",
        24,
        "season=.08 audience=.75 model=.1 material=.5",
    ),
    Department(
        "sports",
        "dumbbell treadmill racket basketball football helmet bicycle skateboard jersey goggles paddle barbell "
        "kettlebell trampoline dartboard snorkel wetsuit surfboard shinguard frisbee",
        "adjustable tennis squash indoor mountain table swim bench resistance pickleball",
        "rubber,carbon fiber,neoprene,steel,graphite,foam,nylon",
        "anti slip,shock absorbing,quick release,foldable,impact resistant,breathable",
        "professional,sporty,nostalgic",
        "heavy,lightweight,portable,padded,inflatable",
        "gym,training,competition,pool,playground",
        "men,women,kids,beginners,athletes",
        "kg:2,4,6,8,10,12,16,20,24;cm:40,50,60,70",
        58,
        "pattern=.05 style=.2",
    ),
    Department(
        "outdoors",
        "tent backpack lantern hammock compass cooler canteen sleeping-bag binoculars tarp headlamp stove paracord "
        "machete rod reel lure kayak carabiner flashlight",
        "dome bivy ultralight tactical fly-fishing solar pop-up expedition cabin canoe",
        "nylon,canvas,ripstop,titanium,aluminum,polyester,waxed cotton",
        "waterproof,windproof,rechargeable,uv resistant,insulated,quick setup",
        "military,adventure,classic",
        "compact,foldable,heavy duty,packable,inflatable",
        "camping,hiking,fishing,hunting,festival",
        "solo hikers,families,scouts,anglers",
        "person:1,2,3,4,6,8;liter:10,20,35,50,65;lumen:200,400,800,1200",
        74,
        "season=.25 model=.3 audience=.25",
    ),
    Department(
        "tools",
        "drill hammer wrench screwdriver saw pliers sander level chisel ladder clamp toolbox multimeter anvil "
        "workbench nailer router planer stapler caulker",
        "cordless impact socket circular torque orbital jig rotary claw tile hex",
        "steel,chrome vanadium,carbide,fiberglass,titanium,brass",
        "rust resistant,insulated,magnetic,variable speed,anti vibration,quick change",
        "industrial,professional",
        "heavy duty,brushless,compact,telescopic,ratcheting",
        "workshop,garage,construction,plumbing,electrical",
        "carpenters,mechanics,beginners,electricians",
        "volt:12,18,20,36,40;mm:6,8,10,13,19;piece:20,40,80,120",
        66,
        "model=.65 pattern=0 season=0 color=.35 audience=.15",
    ),
    Department(
        "pets",
        "leash collar harness kennel litter aquarium birdcage kibble treats catnip scratcher feeder carrier muzzle "
        "terrarium crate brush shampoo chew hutch",
        "retractable slow elevated salmon chicken hamster puppy reptile grain-free training",
        "nylon,rope,leather,wicker,sisal,fleece,stainless steel",
        "chew proof,reflective,odor control,washable,no pull,automatic",
        "cute,modern,nautical",
        "large breed,small breed,adjustable,padded,airline approved",
        "walking,travel,apartment,grooming,backyard",
        "dogs,cats,puppies,kittens,rabbits,birds",
        "kg:1,2,5,10,15;liter:10,20,40,60",
        29,
        "audience=.85 model=.05 pattern=.15 specifications=.45",
    ),
    Department(
        "garden",
        "hose planter shovel rake pruner sprinkler trellis wheelbarrow mower trimmer gazebo birdbath seeds fertilizer "
        "compost gnome umbrella greenhouse trowel fountain",
        "hanging raised expandable hedge tomato vertical cactus lawn herb window",
        "terracotta,resin,cedar,steel,brass,wicker,stone",
        "rust proof,self watering,drip,weatherproof,solar powered,frost resistant",
        "rustic,zen,cottage,mediterranean",
        "tall,wide,stackable,foldable,decorative",
        "patio,balcony,lawn,orchard,greenhouse",
        "beginners,landscapers,seniors",
        "meter:5,10,15,20,30;liter:5,10,20,50",
        41,
        "season=.45 model=.15 audience=.12",
    ),
    Department(
        "office",
        "sketchbook pen pencil marker binder folder envelope calendar whiteboard shredder laminator calculator tape "
        "highlighter planner eraser corkboard clipboard stamp label",
        "gel fountain spiral dry-erase legal sticky hanging desk expanding hardcover",
        "paper,vinyl,kraft,acrylic,leatherette,cork",
        "refillable,erasable,acid free,waterproof,self adhesive,bleed proof",
        "minimalist,cute,classic,vintage",
        "ruled,dotted grid,fine tip,double sided,wide",
        "school,meeting,journaling,classroom,studio",
        "students,teachers,artists,kids,executives",
        "pack:3,6,12,24,50,100;mm:0.5,0.7,1.0",
        14,
        "marketing=.3 model=.1 pattern=.2",
    ),
    Department(
        "baby",
        "stroller crib bassinet pacifier diaper bottle bib highchair rattle teether onesie swaddle monitor walker "
        "bouncer playpen wipes sterilizer",
        "jogging travel convertible feeding newborn swing bath umbrella organic convoy",
        "organic cotton,muslin,silicone,bamboo,beech,bpa free plastic",
        "anti colic,machine washable,breathable,foldable,leakproof,self soothing",
        "woodland,safari,classic,pastel",
        "soft,compact,convertible,extra large,lightweight",
        "nursery,travel,feeding,bedtime,outdoor",
        "newborns,infants,toddlers,twins",
        "month:3,6,9,12,18,24;pack:20,40,80,120",
        48,
        "audience=.6 pattern=.25 model=.1",
    ),
    Department(
        "jewelry",
        "necklace bracelet earrings ring watch pendant anklet brooch cufflinks locket choker charm tiara medallion "
        "hairpin sunglasses",
        "tennis signet stackable hoop stud chronograph cuff birthstone charm pearl",
        "sterling silver,gold plated,titanium,moissanite,leather,jade,amber,freshwater pearl",
        "hypoallergenic,engravable,water resistant,adjustable,scratch resistant",
        "vintage,minimalist,bohemian,art deco,gothic",
        "dainty,chunky,layered,oversized,twisted",
        "wedding,anniversary,graduation,party,daily",
        "women,men,couples,bridesmaids,girls",
        "mm:2,4,6,8,12,38,42;carat:0.5,1,1.5,2",
        95,
        "anchor=.3 season=.03 model=.1 marketing=.3 function=.35",
    ),
    Department(
        "automotive",
        "tire wiper dashcam jumpstarter floormat seatcover headlight battery muffler carjack alternator polish "
        "roofrack towbar hubcap sparkplug coolant brakepad",
        "winter rear trunk off-road led cabin hybrid motorcycle truck dual",
        "rubber,leatherette,carbon fiber,steel,aluminum,microfiber",
        "all weather,anti slip,quick install,fast charging,night vision,rust proof",
        "racing,classic,luxury",
        "universal,heavy duty,custom fit,foldable,portable",
        "highway,off road,garage,racing,commuting",
        "truckers,commuters,mechanics,motorcyclists",
        "volt:12,24;inch:15,16,17,18,19,20;amp:400,800,1200",
        70,
        "model=.6 pattern=0 season=.12 color=.4 audience=.1 specifications=.8",
    ),
    Department(
        "groceries",
        "coffee tea chocolate cereal granola honey pasta sauce noodles biscuits popcorn jam nuts olive-oil spices "
        "syrup juice vinegar crackers rice",
        "instant herbal dark roasted steel-cut jasmine chili gluten-free smoked oat",
        "almond,hazelnut,cocoa,ginger,vanilla,cinnamon,coconut,oats",
        "sugar free,high protein,low sodium,caffeine free,high fiber,vegan",
        "artisan,italian,thai,mexican,organic",
        "crunchy,whole grain,spicy,creamy,single origin",
        "breakfast,snack,baking,lunchbox,party",
        "vegans,kids,athletes,families",
        "gram:100,200,250,400,500,1000;pack:2,4,6,12",
        9,
        "location=.6 color=.05 model=0 pattern=0 material=.7 specifications=.85 marketing=.3 anchor=.15",
    ),
)
