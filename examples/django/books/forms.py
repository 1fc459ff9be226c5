from django import forms

from .models import Book


class BookForm(forms.ModelForm):
    class Meta:
        model = Book
        fields = ["title", "author", "note"]
        widgets = {"note": forms.Textarea(attrs={"rows": 4})}


class UploadForm(forms.Form):
    file = forms.FileField()
