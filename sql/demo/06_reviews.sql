-- Reviews by people who bought the thing: the better the product, the better the rating, and the text says what the rating says.
CREATE TEMP TABLE demo_say (lang text, part text, lines text[]) ON COMMIT DROP;
INSERT INTO demo_say VALUES
	('fr', 'title 5', '{Coup de cœur,Parfait,Superbe,Encore plus beau en vrai,Je recommande,Un vrai bonheur}'),
	('fr', 'title 4', '{Très bon achat,Joli et bien fini,Conforme à la description,Belle qualité,Content de mon achat}'),
	('fr', 'title 3', '{Correct sans plus,Mitigé,Bien mais un peu cher,Peut mieux faire}'),
	('fr', 'title 2', '{Déception,Pas à la hauteur,Bof}'),
	('fr', 'title 1', '{À éviter,Très déçu,Renvoyé aussitôt}'),
	('fr', 'open 5', '{"Exactement ce que je cherchais.","Encore mieux qu''en photo.","Troisième commande ici et toujours la même qualité.","Je l''ai offert à ma sœur, elle est ravie.","Il a tout de suite trouvé sa place chez nous."}'),
	('fr', 'open 4', '{"Très bon achat dans l''ensemble.","Beau produit, fidèle à la description.","Conforme à mes attentes.","Bon rapport qualité-prix."}'),
	('fr', 'open 3', '{"Pas mal, mais je m''attendais à mieux pour le prix.","Joli de loin, un peu moins de près.","Un avis partagé."}'),
	('fr', 'open 2', '{"Je m''attendais à autre chose.","Le prix ne se justifie pas.","Dommage, l''idée était bonne."}'),
	('fr', 'open 1', '{"Très mauvaise expérience.","Je l''ai renvoyé le lendemain.","Rien à voir avec la photo."}'),
	('fr', 'close good', '{"Livraison rapide.","Je recommande sans hésiter.","J''en reprendrai un autre.","Merci pour l''emballage sans plastique.","Reçu en trois jours.",""}'),
	('fr', 'close bad', '{"Le retour a été accepté sans difficulté.","Le service client a répondu vite, heureusement.","Dommage.",""}'),
	('fr', 'good luminaires', '{"La lumière est douce et n''éblouit pas.","Le montage a pris dix minutes, la notice est claire.","Même éteinte, elle attire les regards."}'),
	('fr', 'bad luminaires', '{"Le câble est trop court pour notre plafond.","L''abat-jour est arrivé légèrement marqué.","La lumière est plus faible que prévu."}'),
	('fr', 'good mobilier', '{"Montage simple à deux, tout tombe juste.","Stable, solide, sans odeur à l''ouverture.","Les finitions sont soignées jusque sous le plateau."}'),
	('fr', 'bad mobilier', '{"Deux vis manquaient dans le carton.","Un pied ne porte pas tout à fait.","La teinte est plus foncée que sur le site."}'),
	('fr', 'good decoration', '{"Emballage soigné, rien n''a bougé.","La couleur est exactement celle de la photo.","Nos invités demandent toujours d''où cela vient."}'),
	('fr', 'bad decoration', '{"Plus petit que je ne l''imaginais.","Un éclat sur le bord à l''arrivée.","La couleur tire plus vers le gris que sur la photo."}'),
	('fr', 'good textile', '{"La matière est très douce et ne bouge pas au lavage.","Les coutures sont nettes et le tombé superbe.","La couleur reste belle après plusieurs lavages."}'),
	('fr', 'bad textile', '{"Il a rétréci au premier lavage.","Quelques fils tirés dès le déballage.","Le tissu est plus fin que prévu."}'),
	('fr', 'good rangement', '{"On y range bien plus qu''il n''y paraît.","Solide et facile à installer.","Il rentre parfaitement dans notre entrée."}'),
	('fr', 'bad rangement', '{"Les trous de fixation sont mal alignés.","Il est arrivé avec un coin abîmé.","Il sent un peu fort les premiers jours."}'),
	('en', 'title 5', '{Love it,Perfect,Beautiful,Even better in real life,Highly recommended}'),
	('en', 'title 4', '{Very good buy,Lovely and well made,As described,Good quality}'),
	('en', 'title 3', '{All right,Mixed feelings,Nice but pricey}'),
	('en', 'title 2', '{Disappointing,Not worth the price,Meh}'),
	('en', 'title 1', '{Avoid,Very disappointed,Sent it straight back}'),
	('en', 'open 5', '{"Exactly what I was looking for.","Even nicer than in the pictures.","My third order here and the quality is always the same.","A gift for my sister, who is delighted."}'),
	('en', 'open 4', '{"A very good buy all in all.","A fine product, true to its description.","Just as I expected.","Good value for money."}'),
	('en', 'open 3', '{"Not bad, but I expected more at this price.","Pretty from afar, a little less so up close.","I am in two minds."}'),
	('en', 'open 2', '{"I expected something else.","The price is not justified.","A pity, the idea was good."}'),
	('en', 'open 1', '{"A very bad experience.","I sent it back the next day.","Nothing like the picture."}'),
	('en', 'close good', '{"Fast delivery.","I recommend it without hesitation.","I will buy another one.","Thanks for the plastic-free packaging.",""}'),
	('en', 'close bad', '{"The return was accepted without trouble.","Customer service answered quickly, at least.","A shame.",""}'),
	('en', 'good luminaires', '{"The light is soft and does not glare.","Fitting it took ten minutes, the instructions are clear.","Even switched off it draws the eye."}'),
	('en', 'bad luminaires', '{"The cable is too short for our ceiling.","The shade came slightly marked.","The light is weaker than I thought."}'),
	('en', 'good mobilier', '{"Easy assembly for two, everything fits.","Stable, solid, no smell when unpacked.","Neatly finished, even under the top."}'),
	('en', 'bad mobilier', '{"Two screws were missing from the box.","One leg does not quite touch the floor.","The shade is darker than on the site."}'),
	('en', 'good decoration', '{"Carefully packed, nothing had moved.","The colour is exactly that of the picture.","Guests always ask where it comes from."}'),
	('en', 'bad decoration', '{"Smaller than I had imagined.","It came with a chip on the edge.","The colour is greyer than in the picture."}'),
	('en', 'good textile', '{"The fabric is very soft and washes well.","Neat seams and a superb fall.","The colour is still lovely after several washes."}'),
	('en', 'bad textile', '{"It shrank in the first wash.","Some pulled threads right out of the box.","The fabric is thinner than I thought."}'),
	('en', 'good rangement', '{"It holds far more than it seems.","Solid and easy to put up.","It fits our hallway perfectly."}'),
	('en', 'bad rangement', '{"The fixing holes are badly aligned.","It came with a damaged corner.","It smells a little strong for the first days."}');

CREATE FUNCTION pg_temp.say(wanted_lang text, wanted_part text, key text) RETURNS text
LANGUAGE sql STABLE
AS $$ SELECT pg_temp.pick(lines, wanted_part || key) FROM demo_say WHERE lang = wanted_lang AND part = wanted_part $$;

INSERT INTO shop.reviews (product_id, customer_id, created_at, rating, verified, status, lang, author, title, body)
WITH bought AS (
	SELECT i.product_id, p.customer_id, p.key || ' ' || i.sku AS key, i.shelf, p.delivered_at, c.first, c.last, c.locale,
		pg_temp.chance('quality ' || i.product_id) AS quality, pg_temp.chance('rating ' || p.key || i.sku) AS luck
	  FROM demo_item i JOIN demo_placed p ON p.n = i.n LEFT JOIN demo_customer c ON c.i = p.customer_id
	 WHERE p.status = 'DELIVERED' AND pg_temp.chance('writes ' || p.key || i.sku) < 0.24
), rated AS (
	SELECT b.*, CASE
			WHEN luck < 0.32 + 0.36 * quality THEN 5
			WHEN luck < 0.62 + 0.25 * quality THEN 4
			WHEN luck < 0.82 + 0.12 * quality THEN 3
			WHEN luck < 0.93 + 0.04 * quality THEN 2
			ELSE 1 END AS rating,
		CASE WHEN coalesce(locale, CASE WHEN pg_temp.chance('language ' || key) < 0.85 THEN 'fr' ELSE 'en' END) = 'fr' THEN 'fr' ELSE 'en' END AS lang,
		delivered_at + make_interval(secs => 86400 * (2 + 38 * power(pg_temp.chance('later ' || key), 2))) AS written_at
	  FROM bought b
)
SELECT product_id, customer_id, written_at, rating, true, CASE WHEN pg_temp.chance('seen ' || key) < 0.015 THEN 'pending' ELSE 'published' END, lang,
	coalesce(first || ' ' || left(last, 1) || '.', pg_temp.pick('{Camille R.,Nadia B.,Paul M.,Inès D.,Laurent G.,Sylvie T.,Hugo P.,Claire L.}', 'author ' || key)),
	pg_temp.say(lang, 'title ' || rating, key),
	trim(concat_ws(' ', pg_temp.say(lang, 'open ' || rating, key),
		CASE WHEN rating >= 3 THEN pg_temp.say(lang, 'good ' || shelf, key) END,
		CASE WHEN rating <= 3 THEN pg_temp.say(lang, 'bad ' || shelf, key) END,
		pg_temp.say(lang, CASE WHEN rating >= 4 THEN 'close good' ELSE 'close bad' END, key)))
  FROM rated WHERE written_at < pg_temp.demo_now()
 ORDER BY written_at, key;
