-- The demo shop is a French home-decoration shop. Everything in it comes from the words of this file and from hashes of keys, never from
-- a random number: loaded twice at the same moment it is the same shop. Dates count back from now, or from the setting souk.demo_now.
DO $$
BEGIN
	IF EXISTS (SELECT FROM shop.products) OR EXISTS (SELECT FROM shop.categories) THEN
		PERFORM souk.fail('SK409', 'this shop has products; the demo shop is loaded into an empty one only');
	END IF;
	PERFORM set_config('souk.kind', 'system', true);
END
$$;

-- A number in [0, 1) that belongs to the key.
CREATE FUNCTION pg_temp.chance(key text) RETURNS double precision
LANGUAGE sql IMMUTABLE
AS $$ SELECT ((hashtextextended(key, 7919) >> 11) & 4503599627370495) / 4503599627370496.0 $$;

-- One of the values, the one that belongs to the key.
CREATE FUNCTION pg_temp.pick(choices text[], key text) RETURNS text
LANGUAGE sql IMMUTABLE
AS $$ SELECT choices[1 + floor(pg_temp.chance(key) * cardinality(choices))::integer] $$;

CREATE FUNCTION pg_temp.between(lo numeric, hi numeric, key text) RETURNS integer
LANGUAGE sql IMMUTABLE
AS $$ SELECT (lo + floor(pg_temp.chance(key) * (hi - lo + 1)))::integer $$;

-- A price as shops write it, in cents: 7.90, 24.90, 149.90, 890.00.
CREATE FUNCTION pg_temp.nice_price(euros double precision) RETURNS bigint
LANGUAGE sql IMMUTABLE
AS $$
SELECT CASE
	WHEN euros < 60 THEN greatest(floor(euros), 3) * 100 + 90
	WHEN euros < 200 THEN round(euros / 5) * 500 - 10
	ELSE round(euros / 10) * 1000 - CASE WHEN euros < 600 THEN 100 ELSE 0 END END::bigint
$$;

CREATE FUNCTION pg_temp.demo_now() RETURNS timestamptz
LANGUAGE sql STABLE
AS $$ SELECT coalesce(nullif(current_setting('souk.demo_now', true), '')::timestamptz, date_trunc('minute', now())) $$;

CREATE TEMP TABLE demo_category (code text PRIMARY KEY, parent text, fr text, en text, de text, es text) ON COMMIT DROP;
INSERT INTO demo_category VALUES
	('luminaires', NULL, 'Luminaires', 'Lighting', 'Leuchten', 'Iluminación'),
	('mobilier', NULL, 'Mobilier', 'Furniture', 'Möbel', 'Muebles'),
	('decoration', NULL, 'Décoration', 'Decoration', 'Dekoration', 'Decoración'),
	('textile', NULL, 'Textile', 'Textiles', 'Textilien', 'Textil'),
	('rangement', NULL, 'Rangement', 'Storage', 'Aufbewahrung', 'Almacenaje'),
	('suspensions', 'luminaires', 'Suspensions', 'Pendant lights', 'Pendelleuchten', 'Lámparas colgantes'),
	('lampes-a-poser', 'luminaires', 'Lampes à poser', 'Table lamps', 'Tischleuchten', 'Lámparas de mesa'),
	('lampadaires', 'luminaires', 'Lampadaires', 'Floor lamps', 'Stehleuchten', 'Lámparas de pie'),
	('appliques', 'luminaires', 'Appliques', 'Wall lamps', 'Wandleuchten', 'Apliques'),
	('lampes-de-bureau', 'luminaires', 'Lampes de bureau', 'Desk lamps', 'Schreibtischleuchten', 'Lámparas de escritorio'),
	('lustres', 'luminaires', 'Lustres', 'Chandeliers', 'Kronleuchter', 'Lámparas de araña'),
	('lanternes-et-guirlandes', 'luminaires', 'Lanternes et guirlandes', 'Lanterns and string lights', 'Laternen und Lichterketten', 'Farolillos y guirnaldas'),
	('tables', 'mobilier', 'Tables', 'Dining tables', 'Esstische', 'Mesas de comedor'),
	('tables-basses', 'mobilier', 'Tables basses et d''appoint', 'Coffee and side tables', 'Couch- und Beistelltische', 'Mesas de centro y auxiliares'),
	('chaises-et-tabourets', 'mobilier', 'Chaises, tabourets et bancs', 'Chairs, stools and benches', 'Stühle, Hocker und Bänke', 'Sillas, taburetes y bancos'),
	('canapes-et-fauteuils', 'mobilier', 'Canapés, fauteuils et poufs', 'Sofas, armchairs and poufs', 'Sofas, Sessel und Poufs', 'Sofás, sillones y pufs'),
	('bureaux', 'mobilier', 'Bureaux', 'Desks', 'Schreibtische', 'Escritorios'),
	('lits-et-chevets', 'mobilier', 'Lits et chevets', 'Beds and nightstands', 'Betten und Nachttische', 'Camas y mesillas'),
	('consoles-et-buffets', 'mobilier', 'Consoles et buffets', 'Consoles and sideboards', 'Konsolen und Sideboards', 'Consolas y aparadores'),
	('vases', 'decoration', 'Vases', 'Vases', 'Vasen', 'Jarrones'),
	('miroirs', 'decoration', 'Miroirs', 'Mirrors', 'Spiegel', 'Espejos'),
	('bougies-et-bougeoirs', 'decoration', 'Bougies et bougeoirs', 'Candles and candle holders', 'Kerzen und Kerzenhalter', 'Velas y candelabros'),
	('cadres-et-affiches', 'decoration', 'Cadres et affiches', 'Frames and posters', 'Rahmen und Poster', 'Marcos y láminas'),
	('horloges', 'decoration', 'Horloges', 'Clocks', 'Uhren', 'Relojes'),
	('cache-pots', 'decoration', 'Cache-pots', 'Plant pots', 'Übertöpfe', 'Maceteros'),
	('plateaux', 'decoration', 'Plateaux', 'Trays', 'Tabletts', 'Bandejas'),
	('objets-decoratifs', 'decoration', 'Objets décoratifs', 'Decorative objects', 'Dekoobjekte', 'Objetos decorativos'),
	('coussins', 'textile', 'Coussins', 'Cushions', 'Kissen', 'Cojines'),
	('plaids', 'textile', 'Plaids', 'Throws', 'Decken', 'Mantas'),
	('rideaux', 'textile', 'Rideaux', 'Curtains', 'Vorhänge', 'Cortinas'),
	('tapis', 'textile', 'Tapis', 'Rugs', 'Teppiche', 'Alfombras'),
	('linge-de-lit', 'textile', 'Linge de lit', 'Bed linen', 'Bettwäsche', 'Ropa de cama'),
	('linge-de-table', 'textile', 'Linge de table', 'Table linen', 'Tischwäsche', 'Mantelería'),
	('linge-de-bain', 'textile', 'Linge de bain', 'Bath linen', 'Badtextilien', 'Ropa de baño'),
	('etageres', 'rangement', 'Étagères', 'Shelves', 'Regale', 'Estanterías'),
	('bibliotheques', 'rangement', 'Bibliothèques', 'Bookcases', 'Bücherregale', 'Librerías'),
	('armoires-et-commodes', 'rangement', 'Armoires et commodes', 'Wardrobes and dressers', 'Schränke und Kommoden', 'Armarios y cómodas'),
	('paniers-et-boites', 'rangement', 'Paniers, boîtes et malles', 'Baskets, boxes and trunks', 'Körbe, Boxen und Truhen', 'Cestas, cajas y baúles'),
	('pateres-et-portemanteaux', 'rangement', 'Patères et portemanteaux', 'Hooks and coat racks', 'Haken und Garderoben', 'Percheros y ganchos'),
	('meubles-a-chaussures', 'rangement', 'Meubles à chaussures', 'Shoe storage', 'Schuhschränke', 'Zapateros');

-- A colour: masculine and feminine in French (agreeing with the material), the other languages, how it is drawn.
CREATE TEMP TABLE demo_colour (code text PRIMARY KEY, m text, f text, en text, de text, es text, hex text) ON COMMIT DROP;
INSERT INTO demo_colour VALUES
	('blanc', 'blanc', 'blanche', 'white', 'weiß', 'blanco', '#f2efe9'),
	('noir', 'noir', 'noire', 'black', 'schwarz', 'negro', '#2b2a29'),
	('ecru', 'écru', 'écrue', 'ecru', 'naturweiß', 'crudo', '#e8dcc6'),
	('beige', 'beige', 'beige', 'beige', 'beige', 'beige', '#d6c3a5'),
	('taupe', 'taupe', 'taupe', 'taupe', 'taupe', 'topo', '#9c8b7a'),
	('gris', 'gris perle', 'gris perle', 'pearl grey', 'perlgrau', 'gris perla', '#b9bab8'),
	('anthracite', 'gris anthracite', 'gris anthracite', 'charcoal grey', 'anthrazit', 'gris antracita', '#4a4c50'),
	('terracotta', 'terracotta', 'terracotta', 'terracotta', 'terrakotta', 'terracota', '#c0694a'),
	('rouille', 'rouille', 'rouille', 'rust', 'rostrot', 'óxido', '#a5502e'),
	('ocre', 'ocre', 'ocre', 'ochre', 'ocker', 'ocre', '#c98f3c'),
	('moutarde', 'moutarde', 'moutarde', 'mustard yellow', 'senfgelb', 'mostaza', '#d1a02e'),
	('jaune', 'jaune pâle', 'jaune pâle', 'pale yellow', 'hellgelb', 'amarillo pálido', '#ecd98b'),
	('sauge', 'vert sauge', 'vert sauge', 'sage green', 'salbeigrün', 'verde salvia', '#9caf92'),
	('olive', 'vert olive', 'vert olive', 'olive green', 'olivgrün', 'verde oliva', '#7a7f4d'),
	('sapin', 'vert sapin', 'vert sapin', 'forest green', 'tannengrün', 'verde bosque', '#2f5545'),
	('canard', 'bleu canard', 'bleu canard', 'teal blue', 'petrolblau', 'azul petróleo', '#1f6673'),
	('nuit', 'bleu nuit', 'bleu nuit', 'midnight blue', 'nachtblau', 'azul noche', '#26355a'),
	('ciel', 'bleu ciel', 'bleu ciel', 'sky blue', 'himmelblau', 'azul cielo', '#a9c8dd'),
	('rose', 'rose poudré', 'rose poudré', 'powder pink', 'puderrosa', 'rosa empolvado', '#dfb6ae'),
	('lilas', 'lilas', 'lilas', 'lilac', 'flieder', 'lila', '#b8a5c9'),
	('bordeaux', 'bordeaux', 'bordeaux', 'burgundy red', 'bordeauxrot', 'burdeos', '#6d2233'),
	('brique', 'rouge brique', 'rouge brique', 'brick red', 'ziegelrot', 'rojo teja', '#a8433a'),
	('ambre', 'ambre', 'ambre', 'amber', 'bernstein', 'ámbar', '#c98736'),
	('fume', 'fumé', 'fumée', 'smoked grey', 'rauchgrau', 'ahumado', '#7b7a78'),
	('transparent', 'transparent', 'transparente', 'clear', 'klar', 'transparente', '#dce6e6'),
	('dore', 'doré', 'dorée', 'golden', 'gold', 'dorado', '#c8a24d'),
	('cuivre', 'cuivré', 'cuivrée', 'copper', 'kupfer', 'cobrizo', '#b8734a'),
	('naturel', 'naturel', 'naturelle', 'natural', 'natur', 'natural', '#c9a878'),
	('miel', 'miel', 'miel', 'honey', 'honig', 'miel', '#b98148'),
	('brun', 'brun foncé', 'brun foncé', 'dark brown', 'dunkelbraun', 'marrón oscuro', '#5d4331'),
	('cognac', 'cognac', 'cognac', 'cognac', 'cognac', 'coñac', '#9a5b32');

-- A material: as it follows "en" in a French name and "in <colour>" in an English one, its gender, its colours, one true sentence and its care.
CREATE TEMP TABLE demo_material (code text PRIMARY KEY, fr text, gender text, en text, factor numeric, colours text[],
	fact_fr text, fact_en text, care_fr text, care_en text) ON COMMIT DROP;
INSERT INTO demo_material VALUES
	('verre', 'verre soufflé', 'm', 'blown glass', 1.1, '{transparent,ambre,fume,sauge,rose,ciel}',
		'Le verre est soufflé à la bouche : de fines bulles et de légères variations d''épaisseur rappellent le geste de l''artisan.',
		'The glass is mouth-blown: fine bubbles and slight changes in thickness recall the hand that made it.',
		'Se nettoie avec un chiffon doux et de l''eau tiède, sans produit abrasif.', 'Clean with a soft cloth and lukewarm water, no scouring agents.'),
	('rotin', 'rotin tressé', 'm', 'woven rattan', 0.9, '{naturel,noir,miel,blanc}',
		'Le rotin est tressé à la main sur une armature fine, ce qui rend chaque pièce un peu différente.',
		'The rattan is woven by hand over a fine frame, so that every piece is a little different.',
		'Dépoussiérer avec une brosse souple et garder à l''abri de l''humidité.', 'Dust with a soft brush and keep away from damp.'),
	('bambou', 'bambou', 'm', 'bamboo', 0.75, '{naturel,noir,miel}',
		'Le bambou pousse vite, se tient bien et reste léger à déplacer.',
		'Bamboo grows fast, holds its shape and stays light to move.',
		'Essuyer avec un chiffon à peine humide, puis sécher.', 'Wipe with a barely damp cloth, then dry.'),
	('papier', 'papier japonais', 'm', 'Japanese paper', 0.6, '{blanc,ecru,beige,ocre}',
		'Le papier de mûrier filtre la lumière et gomme les ombres dures.',
		'Mulberry paper filters the light and softens hard shadows.',
		'Dépoussiérer au plumeau, ne pas mouiller.', 'Dust with a feather duster, do not wet.'),
	('lin', 'lin lavé', 'm', 'washed linen', 1.15, '{ecru,beige,blanc,terracotta,sauge,gris,nuit,rose,ocre,olive,lilas}',
		'Le lin, cultivé en Normandie, est lavé pour être souple dès le premier jour ; il embellit à chaque lavage.',
		'The linen, grown in Normandy, is washed so that it is soft from day one; it gets better with every wash.',
		'Lavable en machine à 40 °C, repassage inutile.', 'Machine washable at 40 °C, no ironing needed.'),
	('metal', 'métal laqué', 'm', 'lacquered metal', 0.85, '{noir,blanc,sapin,terracotta,nuit,moutarde,gris,rose}',
		'Le métal reçoit une laque mate qui résiste aux petites rayures du quotidien.',
		'The metal has a matt lacquer that stands up to everyday scratches.',
		'Un chiffon sec suffit à l''entretien.', 'A dry cloth is all it needs.'),
	('acier', 'acier thermolaqué', 'm', 'powder-coated steel', 0.95, '{noir,blanc,anthracite,olive,terracotta,canard}',
		'L''acier thermolaqué ne craint ni la rouille ni les chocs légers.',
		'Powder-coated steel fears neither rust nor light knocks.',
		'Se nettoie à l''eau savonneuse.', 'Clean with soapy water.'),
	('laiton', 'laiton brossé', 'm', 'brushed brass', 1.35, '{dore,cuivre}',
		'Le laiton, brossé puis verni, garde son éclat chaud sans se patiner trop vite.',
		'The brass, brushed and varnished, keeps its warm shine without tarnishing too soon.',
		'Essuyer avec un chiffon doux et sec ; pas de produit pour métaux.', 'Wipe with a soft dry cloth; no metal polish.'),
	('ceramique', 'céramique émaillée', 'f', 'glazed ceramic', 0.9, '{blanc,noir,sauge,nuit,ocre,terracotta,ciel,beige}',
		'L''émail, posé à la main, prend des reflets différents selon la cuisson.',
		'The glaze, laid on by hand, takes on different lights in every firing.',
		'Passer une éponge humide, sécher aussitôt.', 'Wipe with a damp sponge and dry at once.'),
	('gres', 'grès', 'm', 'stoneware', 0.85, '{ecru,anthracite,beige,sauge,rouille,nuit}',
		'Le grès, tourné puis cuit à 1 250 °C, est dense et presque insensible aux taches.',
		'The stoneware, thrown and fired at 1,250 °C, is dense and hardly stains.',
		'Compatible avec le lave-vaisselle pour les petites pièces.', 'Small pieces may go into the dishwasher.'),
	('terre', 'terre cuite', 'f', 'terracotta clay', 0.6, '{terracotta,blanc,ocre,rose,noir}',
		'La terre cuite respire et se patine avec les saisons.',
		'The clay breathes and takes on a patina with the seasons.',
		'Brosser à sec ; rentrer en cas de gel.', 'Brush dry; bring indoors before frost.'),
	('marbre', 'marbre', 'm', 'marble', 1.7, '{blanc,noir,sapin,beige}',
		'Chaque bloc de marbre a son veinage : aucune pièce n''est la copie d''une autre.',
		'Every block of marble has its own veins: no piece is the copy of another.',
		'Essuyer sans attendre les liquides acides ; un savon doux suffit.', 'Wipe up acidic liquids at once; mild soap is enough.'),
	('travertin', 'travertin', 'm', 'travertine', 1.6, '{beige,ecru,gris}',
		'Le travertin, poreux et mat, garde la trace des eaux qui l''ont formé.',
		'Travertine, porous and matt, keeps the trace of the water that formed it.',
		'Protéger avec un hydrofuge une fois par an.', 'Treat with a water repellent once a year.'),
	('chene', 'chêne massif', 'm', 'solid oak', 1.5, '{naturel,noir,miel,brun}',
		'Le chêne provient de forêts françaises gérées durablement et reçoit une huile naturelle.',
		'The oak comes from sustainably managed French forests and is finished with natural oil.',
		'Nourrir avec une huile pour bois une à deux fois par an.', 'Feed with wood oil once or twice a year.'),
	('noyer', 'noyer', 'm', 'walnut', 1.7, '{brun,miel}',
		'Le noyer se reconnaît à son fil ondulé et à sa teinte profonde.',
		'Walnut is known by its wavy grain and deep tone.',
		'Dépoussiérer, puis cirer légèrement à l''automne.', 'Dust, then wax lightly in autumn.'),
	('manguier', 'manguier massif', 'm', 'solid mango wood', 1.15, '{miel,naturel,noir,brun}',
		'Le manguier est scié en fin de vie de l''arbre fruitier, ce qui lui donne des nuances marquées.',
		'Mango wood is sawn when the fruit tree has done its work, which gives it marked shades.',
		'Entretenir à la cire incolore.', 'Care for it with clear wax.'),
	('teck', 'teck recyclé', 'm', 'reclaimed teak', 1.3, '{naturel,miel,brun}',
		'Le teck a connu une première vie dans des maisons et des bateaux ; ses marques sont authentiques.',
		'The teak had a first life in houses and boats; its marks are genuine.',
		'Convient aux pièces humides ; huiler une fois par an.', 'Fit for damp rooms; oil once a year.'),
	('pin', 'pin massif', 'm', 'solid pine', 0.8, '{naturel,blanc,sauge,noir}',
		'Le pin, clair et noueux, vient de forêts des Landes.',
		'The pine, pale and knotty, comes from forests in the Landes.',
		'Dépoussiérer avec un chiffon sec.', 'Dust with a dry cloth.'),
	('cannage', 'chêne et cannage', 'm', 'oak and cane webbing', 1.4, '{naturel,noir,miel}',
		'Le cannage est tendu à la main dans un cadre de chêne.',
		'The cane webbing is stretched by hand in an oak frame.',
		'Humidifier légèrement le cannage une fois l''an pour le retendre.', 'Dampen the cane lightly once a year to tighten it.'),
	('velours', 'velours', 'm', 'velvet', 1.1, '{sapin,nuit,moutarde,terracotta,rose,canard,ecru,bordeaux,anthracite}',
		'Le velours, ras et dense, change de reflet selon le sens de la main.',
		'The velvet, short and dense, changes its sheen with the stroke of a hand.',
		'Aspirer avec la brosse douce, tamponner les taches à l''eau savonneuse.', 'Vacuum with a soft brush, dab stains with soapy water.'),
	('cotele', 'velours côtelé', 'm', 'corduroy', 1.05, '{rouille,olive,moutarde,ecru,nuit,taupe}',
		'Les grosses côtes du velours donnent du relief et une main très douce.',
		'The wide ribs of the corduroy give depth and a very soft hand.',
		'Aspirer dans le sens des côtes.', 'Vacuum along the ribs.'),
	('bouclette', 'bouclette', 'f', 'bouclé', 1.2, '{ecru,blanc,gris,beige,sauge}',
		'La bouclette, épaisse et ronde, invite à s''y lover.',
		'The bouclé, thick and round, is made to curl up in.',
		'Aspirer à faible puissance, pas de lavage en machine.', 'Vacuum at low power, do not machine wash.'),
	('chine', 'tissu chiné', 'm', 'melange fabric', 1.0, '{gris,beige,anthracite,ciel,sauge,terracotta}',
		'Le tissu chiné supporte 40 000 cycles au test Martindale et ne bouloche pas.',
		'The melange fabric stands 40,000 Martindale rubs and does not pill.',
		'Déhoussable, lavable à 30 °C.', 'Removable covers, washable at 30 °C.'),
	('cuir', 'cuir pleine fleur', 'm', 'full-grain leather', 1.9, '{cognac,noir,brun}',
		'Le cuir pleine fleur, tanné au végétal, se patine sans craqueler.',
		'The full-grain leather, vegetable-tanned, ages without cracking.',
		'Nourrir avec une crème incolore deux fois par an.', 'Feed with a clear cream twice a year.'),
	('laine', 'laine', 'f', 'wool', 1.3, '{ecru,gris,moutarde,sapin,rouille,nuit,rose,taupe}',
		'La laine, filée en Europe, tient chaud sans peser.',
		'The wool, spun in Europe, keeps warm without weight.',
		'Lavage à la main à froid ou nettoyage à sec.', 'Wash by hand in cold water or dry-clean.'),
	('coton', 'coton biologique', 'm', 'organic cotton', 0.85, '{blanc,ecru,terracotta,sauge,nuit,jaune,lilas,gris,brique}',
		'Le coton biologique est certifié et teint sans métaux lourds.',
		'The organic cotton is certified and dyed without heavy metals.',
		'Lavable en machine à 40 °C.', 'Machine washable at 40 °C.'),
	('gaze', 'gaze de coton', 'f', 'cotton gauze', 0.8, '{blanc,ocre,rose,sauge,ciel,terracotta,anthracite}',
		'La double gaze, légère et froissée, se passe de fer.',
		'The double gauze, light and crinkled, needs no iron.',
		'Lavable en machine à 40 °C, séchage à l''air libre.', 'Machine washable at 40 °C, dry in the open air.'),
	('percale', 'percale de coton', 'f', 'cotton percale', 1.0, '{blanc,ciel,gris,nuit,rose,sauge}',
		'La percale de 80 fils au cm² est serrée, fraîche et résistante.',
		'The percale with 200 threads to the inch is tight, cool and hard-wearing.',
		'Lavable en machine à 60 °C.', 'Machine washable at 60 °C.'),
	('eponge', 'éponge de coton', 'f', 'cotton terry', 0.9, '{blanc,terracotta,sauge,gris,nuit,beige,rose}',
		'L''éponge de 550 g/m² absorbe vite et sèche bien.',
		'The 550 g/m² terry absorbs fast and dries well.',
		'Lavable en machine à 60 °C, sans adoucissant.', 'Machine washable at 60 °C, without softener.'),
	('jute', 'jute', 'm', 'jute', 0.8, '{naturel,noir,miel}',
		'Le jute, robuste et mat, apporte une touche végétale.',
		'Jute, sturdy and matt, brings a touch of nature.',
		'Aspirer régulièrement, éviter l''eau.', 'Vacuum regularly, avoid water.'),
	('jonc', 'jonc de mer', 'm', 'seagrass', 0.7, '{naturel,noir,miel}',
		'Le jonc de mer se tresse encore vert, puis sèche au soleil.',
		'Seagrass is woven while still green, then dries in the sun.',
		'Dépoussiérer à la brosse, aérer de temps en temps.', 'Brush off dust and air it now and then.'),
	('osier', 'osier', 'm', 'wicker', 0.75, '{naturel,blanc,miel,brun}',
		'L''osier vient de Haute-Marne, où des vanniers le travaillent encore à la main.',
		'The willow comes from Haute-Marne, where basket makers still work it by hand.',
		'Un chiffon humide suffit.', 'A damp cloth is enough.'),
	('cire', 'cire végétale', 'f', 'plant wax', 0.5, '{ecru,terracotta,sauge,rose,nuit,bordeaux,ocre}',
		'La cire de colza et de soja brûle proprement, sans paraffine.',
		'Rapeseed and soy wax burn cleanly, without paraffin.',
		'Couper la mèche à 5 mm avant chaque usage.', 'Trim the wick to 5 mm before every use.'),
	('art', 'papier d''art', 'm', 'art paper', 0.5, '{ecru,terracotta,nuit,sauge,rose,ocre,noir}',
		'Le papier de 250 g, mat et sans acide, ne jaunit pas.',
		'The 250 g paper, matt and acid-free, does not yellow.',
		'Tenir à l''abri du soleil direct.', 'Keep out of direct sun.'),
	('resine', 'résine', 'f', 'resin', 0.7, '{blanc,noir,beige,terracotta,dore}',
		'La résine, chargée de poudre de pierre, a le toucher du plâtre et la solidité du bois.',
		'The resin, filled with stone powder, feels like plaster and is as strong as wood.',
		'Dépoussiérer au pinceau souple.', 'Dust with a soft brush.');
