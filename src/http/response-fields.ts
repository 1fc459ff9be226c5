export interface ResponseFields { readonly todo: never }
