/* What scopes mean, for people who are asked to grant them. */
#include <string.h>

#include "auth/oauth_internal.h"
#include "core/banned.h"

static const struct {
	const char *scope, *en, *fr;
} known[] = {
	{ "orders:read", "See your orders, their items and where parcels are", "Voir vos commandes, leur contenu et où sont les colis" },
	{ "orders:write", "Cancel orders and send messages about them", "Annuler des commandes et envoyer des messages à leur sujet" },
	{ "support:read", "See your requests to the shop and their answers", "Voir vos demandes à la boutique et leurs réponses" },
	{ "support:write", "Ask the shop for help and open returns for you", "Demander de l’aide à la boutique et ouvrir des retours pour vous" },
	{ "cart:read", "See your basket", "Voir votre panier" },
	{ "cart:write", "Change your basket and prepare a payment", "Modifier votre panier et préparer un paiement" },
	{ "catalog:read", "See the catalogue, also what is not published", "Voir le catalogue, aussi ce qui n’est pas publié" },
	{ "catalog:write", "Change products", "Modifier des produits" },
	{ "sales:read", "See the shop’s sales and figures", "Voir les ventes et les chiffres de la boutique" },
	{ "inventory:read", "See stock and prices of all products", "Voir le stock et les prix de tous les produits" },
	{ "analytics:read", "See figures about sales, products and customers", "Voir les chiffres sur les ventes, les produits et les clients" },
	{ "status:read", "See whether the service works well", "Voir si le service fonctionne bien" },
	{ "metrics:read", "Read the service’s measurements", "Lire les mesures du service" },
	{ "admin:read", "See everything in the administration", "Voir toute l’administration" },
	{ "admin:write", "Change products, orders and settings of the shop", "Modifier les produits, les commandes et les réglages de la boutique" },
	{ "notifications:send", "Send e-mails and messages in the shop’s name", "Envoyer des e-mails et des messages au nom de la boutique" },
	{ "notifications:write", "Send e-mails and messages in the shop’s name", "Envoyer des e-mails et des messages au nom de la boutique" },
	{ "test:run", "Start test runs of the service", "Lancer des tests du service" },
};

const char *
scope_words(struct ctx *c, const char *scope, const char *locale, bool *changes)
{
	bool fr = strcmp(locale, "fr") == 0;
	const char *verb = strchr(scope, ':');

	*changes = verb == NULL || strcmp(verb, ":read") != 0;
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (strcmp(known[i].scope, scope) == 0)
			return fr ? known[i].fr : known[i].en;
	return fr ? arena_printf(c->a, "Utiliser le droit « %s »", scope) : arena_printf(c->a, "Use the right “%s”", scope);
}
